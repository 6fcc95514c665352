import { z } from 'zod'

export const consoleSink = z.object({}).meta({ description: 'Print records as JSON lines on standard output.' })

export type ConsoleConfig = z.output<typeof consoleSink>
