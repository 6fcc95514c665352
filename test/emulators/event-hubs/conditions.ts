/** The service's error conditions. */
export const condition = {
  argumentError: 'com.microsoft:argument-error',
  argumentOutOfRange: 'com.microsoft:argument-out-of-range',
  connectionForced: 'amqp:connection:forced',
  decodeError: 'amqp:decode-error',
  detachForced: 'amqp:link:detach-forced',
  internalError: 'amqp:internal-error',
  invalidField: 'amqp:invalid-field',
  messageSizeExceeded: 'amqp:link:message-size-exceeded',
  notFound: 'amqp:not-found',
  notImplemented: 'amqp:not-implemented',
  resourceLimitExceeded: 'amqp:resource-limit-exceeded',
  serverBusy: 'com.microsoft:server-busy',
  stolen: 'amqp:link:stolen',
  unauthorized: 'amqp:unauthorized-access',
} as const

/** Thrown where a link or a request is refused; becomes the error of a detach, a rejection or a response. */
export class Refused extends Error {
  readonly condition: string
  constructor(condition: string, description: string) {
    super(description)
    this.condition = condition
  }
}

export interface AmqpError {
  readonly condition: string
  readonly description: string
  readonly info: object
}

/** An error as it is sent: with all its fields, as the service does. Some clients count on the third one. */
export const errorOf = (condition: string, description: string): AmqpError => ({ condition, description, info: {} })

/** Clients know this sentence as "no such entity". */
export const noSuchEntity = (address: string): Refused =>
  new Refused(condition.notFound, `The messaging entity '${address}' could not be found.`)
