import { ByWatermark } from './by-watermark.ts'
import { Individual } from './individual.ts'
import type { SettlementOptions, SettlementStrategy } from './settlement.ts'

/** The strategy that a reader asks for. */
export const settlementOf = (options: SettlementOptions): SettlementStrategy => {
  const { settlement } = options.reader
  return settlement.kind === 'individual' ? new Individual(settlement, options) : new ByWatermark(settlement, options)
}
