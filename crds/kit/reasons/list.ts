/** What one reason means, and what a person does about it. */
export interface ReasonText {
  readonly meaning: string
  readonly advice: string
}

export type ReasonList = Readonly<Record<string, ReasonText>>
