/** YAML whose faults are told without its text: a manifest may be a Secret, and what is no YAML is nobody's kind. */
import { type Document, LineCounter, parseAllDocuments } from 'yaml'

/** The parser's code of a fault → what to tell. Its own messages quote the text around it. */
const faults: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'an alias or anchor without a name, or one that ends in a colon: quote texts that begin with * or &',
  BAD_COLLECTION_TYPE: 'the tag does not fit the map or list',
  BAD_DIRECTIVE: 'an unknown directive: quote texts that begin with %',
  BAD_DQ_ESCAPE: 'a backslash that escapes nothing: write it twice, or use single quotes',
  BAD_INDENT: 'wrong indentation',
  BAD_PROP_ORDER: 'an anchor or tag in the wrong place',
  BAD_SCALAR_START: 'a text that begins with a reserved character: quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a nested map or list on the line of its key: begin a new line, or quote a text with a colon',
  BLOCK_IN_FLOW: 'a block inside brackets or braces',
  DUPLICATE_KEY: 'a key that stands in its map already',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters: is a quote or a line break missing?',
  MISSING_CHAR: 'a missing character: a quote, bracket, comma, colon or space',
  MULTILINE_IMPLICIT_KEY: 'a key of several lines: is a colon or a quote missing?',
  MULTIPLE_ANCHORS: 'more than one anchor',
  MULTIPLE_TAGS: 'more than one tag',
  NON_STRING_KEY: 'a key that is no text',
  RESOURCE_EXHAUSTION: 'nested too deep',
  TAB_AS_INDENT: 'a tab: indent with spaces',
  TAG_RESOLVE_FAILED: 'an unknown tag: quote texts that begin with an exclamation mark',
  UNEXPECTED_TOKEN: 'something unexpected: quote texts with special characters',
}

export class YamlFault extends Error {}

/**
 * The documents' values, in order; undefined for one that is empty.
 * *Errors*: YamlFault with line, column and what is wrong, and nothing of the text.
 */
export function parseYaml(text: string): readonly unknown[] {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'error', lineCounter: lines })
  return (documents as readonly Document.Parsed[]).map((document) => {
    const place = (offset: number): string => {
      const { line, col } = lines.linePos(offset)
      return `line ${line}, column ${col}`
    }
    const [fault] = document.errors
    if (fault !== undefined)
      throw new YamlFault(`${place(fault.pos[0])}: no YAML: ${faults[fault.code] ?? 'a fault of the syntax'}`)
    try {
      return document.toJS() as unknown
    } catch {
      const begin = document.contents?.range[0] ?? 0
      throw new YamlFault(`the document at ${place(begin)}: an alias without its anchor, or too many of them`)
    }
  })
}
