import { Doubt, perlClass, type Ranges } from './characters.ts'

const simple: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7 }

/** Where the translation of an expression stands. */
export class Cursor {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** The next character; '' at the end. */
  get next(): string {
    return this.#text[this.#at] ?? ''
  }

  /** What stands here, where it has this form. The expression is sticky. */
  take(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at
    const found = form.exec(this.#text) ?? undefined
    if (found !== undefined) this.#at += found[0].length
    return found
  }

  /** True, and past it, where this text comes next. */
  skip(text: string): boolean {
    const here = this.#text.startsWith(text, this.#at)
    if (here) this.#at += text.length
    return here
  }

  /** One character that means itself. */
  character(): number {
    const code = this.#text.charCodeAt(this.#at)
    if (Number.isNaN(code)) throw new Doubt('it ends too early')
    this.#at += 1
    return code
  }

  /** What follows a backslash: a character, or a class of them. */
  escape(): number | Ranges {
    const wide = this.take(/x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/y)
    if (wide !== undefined) return Number.parseInt(wide[1] ?? wide[2] ?? '', 16)
    const letter = this.next
    const known = simple[letter] ?? perlClass(letter)
    if (known === undefined && !/^[!-/:-@[-`{-~]$/.test(letter)) throw new Doubt('an escape')
    return known === undefined ? this.character() : (this.character(), known)
  }
}
