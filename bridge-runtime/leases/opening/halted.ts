import type { PartitionReader } from '../../core/contracts.ts'
import { dataGap } from '../../history/keeping-gaps.ts'
import type { Ownership } from '../partitioned-source.ts'

/** Stands for a partition that cannot be read, so that somebody says so: it has an owner, and each poll tells the gap. */
export const halted = ({ partition, epoch, commit }: Ownership, gap: string): PartitionReader => ({
  partition,
  stream: undefined,
  epoch,
  settlement: { kind: 'watermark', commit },
  poll: () => Promise.reject(dataGap(gap)),
  lag: () => ({ kind: 'unknown', reason: gap }),
})
