import type { Metadata, status } from '@grpc/grpc-js'

/** What a call is answered with instead. */
export interface Refusal {
  readonly code: status
  readonly details: string
  readonly metadata?: Metadata
  /** The call is done all the same, and only its answer lost. */
  readonly done?: boolean
}
