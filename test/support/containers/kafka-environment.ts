/**
 * Properties of a broker as the environment of the image `apache/kafka`, by the rule of its usage guide (docker/examples/README.md in
 * Kafka's sources): `.` becomes `_`, `_` becomes `__`, `-` becomes `___`, and `KAFKA_` comes before it.
 * @param text of a server.properties
 */
export function kafkaEnvironment(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=')
      return [variableOf(line.slice(0, at)), line.slice(at + 1)]
    }),
  )
}

const written: Readonly<Record<string, string>> = { '.': '_', _: '__', '-': '___' }

const variableOf = (property: string): string =>
  `KAFKA_${property.replaceAll(/[._-]/g, (character) => written[character] ?? character)}`.toUpperCase()
