/** What every connector promises, by number. CONTRACT.md says why; a test compares the two. */
export const sourceRules = {
  S1: 'opens, hands out every partition and closes without a record',
  S2: 'delivers what was sent, once and in order per key',
  S3: 'delivers again what was not committed when its owner died',
  S4: 'begins behind the committed record, nowhere else',
  S5: 'keeps the key, the value, the headers and the time of a record, also where they are empty or absent',
  S6: 'stops when told to, though no record comes',
  S7: 'gives one partition while another is not asked',
  S8: 'knows its lag, or says why not, and has none when all is committed',
  S9: 'commits nothing for an owner that has let go',
  S10: 'names a missing stream, and begins by itself when it is there',
  S11: 'survives a loss of the connection without losing a record',
  S12: 'calls wrong credentials fatal and keeps them to itself',
  S13: 'shares the partitions of a stream among its replicas',
  S14: 'uses a position for the stream it belongs to only',
  S15: 'never begins as if new once it has read',
  S16: 'hands on a record it cannot read as poison, with its position and its bytes, and reads on',
  S17: 'is moved at the rate of a limit, and a stop in the middle of a batch loses and repeats nothing',
} as const

export const sinkRules = {
  K1: 'stores what it is given, in order per key',
  K2: 'keeps the key, the value, the headers and the time of a record, also where they are empty or absent',
  K3: 'refuses a record that is too large as poison and stores the others',
  K4: 'stores no record behind a failed one of its key',
  K5: 'takes as much in one write as its limits say',
  K6: 'takes writes of different keys at the same time',
  K7: 'reports what is in doubt as a failure, so that sending again loses nothing and keeps the order',
  K8: 'names a missing stream, and opens when it is there',
  K9: 'ends a write when told to',
  K10: 'calls wrong credentials fatal and keeps them to itself',
  K11: 'tells each record’s origin where records have headers',
  K12: 'has stored what it reports as stored early',
} as const

export const appendRules = {
  A1: 'reports as durable what survives a crash of the process, and nothing else',
  A2: 'keeps what it accepted until it is durable, trying again by itself',
  A3: 'makes durable what it accepted of a partition when told to flush, or lets the deadline pass',
  A4: 'makes records durable after a time, though no more come',
} as const

export const stageRules = {
  T1: 'says of each output which input it came from, in order',
  T2: 'makes the same of the same records, however they are cut into batches',
  T3: 'leaves its inputs as they were',
  T4: 'takes any record: null and empty keys and values, bytes that are no text, any time',
} as const

export type SourceRule = keyof typeof sourceRules
export type SinkRule = keyof typeof sinkRules
export type Rule = SourceRule | SinkRule
