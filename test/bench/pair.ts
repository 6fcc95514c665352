/** What every comparison has in common: two contenders on the same servers, and what is measured of each. */

export interface Settings {
  /** Records to copy in the first part. */
  readonly records: number
  readonly partitions: number
  /** Bytes of a value. */
  readonly valueBytes: number
  /** Records per second of the second part, the latency. */
  readonly rate: number
  /** Seconds of it that are measured, and seconds before that. */
  readonly seconds: number
  readonly warmUp: number
}

/** From a process started with everything waiting for it to the last record in the sink. */
export interface CopyFigures {
  /** From the start of the process to the first record in the sink. */
  readonly startSeconds: number
  /** The figures below are from the first look at which records had arrived to the last record. */
  readonly recordsPerSecond: number
  readonly recordsPerCpuSecond: number
  /** Processor seconds of the start: what a short-lived process would add. */
  readonly startCpuSeconds: number
  /** Records in the sink less records in the source: below zero lost, above zero duplicated. */
  readonly surplus: number
}

/** Milliseconds between a record's making and its arrival at the sink's broker, at a steady rate. */
export interface LatencyFigures {
  /** Records per second that were made: less than asked for when the machine is too busy to say anything. */
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly lost: number
  readonly duplicated: number
}

export interface Figures {
  readonly contender: string
  readonly copy: CopyFigures
  readonly latency: LatencyFigures
  /** The most memory a process of it ever held (VmHWM), over both parts. */
  readonly peakBytes: number
}

export interface Comparison {
  readonly ours: Figures
  readonly peer: Figures
}

export interface Pair {
  readonly name: string
  readonly summary: string
  /** Names and versions of what it runs on, for the report. */
  readonly versions: () => Promise<readonly string[]>
  run(settings: Settings, say: (text: string) => void): Promise<Comparison>
}

/** A running contender. */
export interface Running {
  readonly pid: number
  readonly logFile: string
  running(): boolean
  stop(): Promise<void>
}

export interface Route {
  readonly bootstrapServers: string
  readonly source: string
}

/** Copies the topic `source` from its beginning to the topic `<alias>.<source>`, which is there already. */
export interface Contender {
  readonly name: string
  readonly alias: string
  start(route: Route): Promise<Running>
}

export const sinkTopic = (contender: Contender, source: string): string => `${contender.alias}.${source}`
