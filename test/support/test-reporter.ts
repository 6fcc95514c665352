/** Prints what a person wants to know of a test run: failures whole, skips with their reason, and the numbers. */
import type { EventData, TestsStream } from 'node:test'

export interface Outcome {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly skippedSuites: number
}

interface Skip {
  readonly name: string
  readonly reason: string
}

type Ended = EventData.TestPass | EventData.TestFail

/** node:test sums up each file in diagnostics of its own. */
const summaryLine = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [0-9.]+$/

export class Reporter {
  readonly #shorten: (file: string) => string
  readonly #skips: Skip[] = []
  readonly #failures: string[] = []
  #output = new Map<string, string[]>()
  #passed = 0
  #skippedSuites = 0
  #begun = { name: '', at: 0, passed: 0, failed: 0, skipped: 0 }

  constructor(shorten: (file: string) => string) {
    this.#shorten = shorten
  }

  suiteSkipped(name: string, reason: string): void {
    this.#skippedSuites++
    this.#skips.push({ name: `suite ${name}`, reason })
    console.log(`\nSKIPPED suite ${name}: ${reason}`)
  }

  suiteBegins(name: string, files: number): void {
    this.#begun = {
      name,
      at: performance.now(),
      passed: this.#passed,
      failed: this.#failures.length,
      skipped: this.#skips.length,
    }
    console.log(`\n${name}: ${files} ${files === 1 ? 'file' : 'files'}`)
  }

  suiteEnds(): void {
    const { name, at, passed, failed, skipped } = this.#begun
    const seconds = ((performance.now() - at) / 1000).toFixed(1)
    const numbers = `${this.#passed - passed} passed, ${this.#failures.length - failed} failed, ${this.#skips.length - skipped} skipped`
    console.log(`${name}: ${numbers} in ${seconds} s`)
  }

  async follow(stream: TestsStream): Promise<void> {
    this.#output = new Map()
    stream.on('test:pass', (event) => this.#pass(event))
    stream.on('test:fail', (event) => this.#fail(event))
    stream.on('test:stdout', ({ file, message }) => this.#keep(file, message))
    stream.on('test:stderr', ({ file, message }) => this.#keep(file, message))
    stream.on('test:diagnostic', ({ message }) => {
      if (!summaryLine.test(message)) console.log(`  ${message}`)
    })
    stream.resume()
    await new Promise((resolve) => stream.once('end', resolve))
  }

  /** Repeats what was skipped and what failed, by name; the numbers last. */
  summary(): Outcome {
    if (this.#skips.length > 0) console.log('\nskipped:')
    for (const { name, reason } of this.#skips) console.log(`  ${name}: ${reason}`)
    if (this.#failures.length > 0) console.log('\nfailed:')
    for (const name of this.#failures) console.log(`  ${name}`)
    const outcome = {
      passed: this.#passed,
      failed: this.#failures.length,
      skipped: this.#skips.length,
      skippedSuites: this.#skippedSuites,
    }
    console.log(`\n${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped`)
    return outcome
  }

  #pass(event: EventData.TestPass): void {
    if (event.details.type === 'suite') return
    const skip = event.skip ?? event.todo
    if (skip === undefined || skip === false) this.#passed++
    else this.#skips.push({ name: this.#title(event), reason: typeof skip === 'string' ? skip : 'no reason given' })
  }

  #fail(event: EventData.TestFail): void {
    const error: Error & { failureType?: unknown } = event.details.error
    // A parent fails because a child did, which is told already.
    if (error.failureType === 'subtestsFailed') return
    const title = this.#title(event)
    this.#failures.push(title)
    const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.message
    const output =
      this.#output
        .get(event.file ?? '')
        ?.join('')
        .trimEnd()
        .split('\n')
        .slice(-40) ?? []
    console.log([`FAILED ${title}`, ...cause.split('\n'), ...output].join('\n    '))
  }

  #keep(file: string | undefined, text: string): void {
    const lines = this.#output.get(file ?? '') ?? []
    lines.push(text)
    this.#output.set(file ?? '', lines)
  }

  #title({ file, name }: Ended): string {
    return file === undefined ? name : `${this.#shorten(file)}: ${this.#shorten(name)}`
  }
}
