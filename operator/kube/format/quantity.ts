/** Quantities of the Kubernetes API: `100m`, `2`, `512Mi`. Pure. */

type Unit = readonly [name: string, size: number]

const decimal: readonly Unit[] = [
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
]
const binary: readonly Unit[] = [
  ['', 1],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
]
const sizes = new Map<string, number>([['m', 1e-3], ...decimal, ...binary])

/** The units in which a quantity is written, and its amount. Undefined for a text of another form. */
function parsed(text: string): { readonly amount: number; readonly units: readonly Unit[] } | undefined {
  const [, digits = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? []
  if (digits === '') return undefined
  return { amount: Number(digits) * (sizes.get(unit) ?? 1), units: unit.endsWith('i') ? binary : decimal }
}

/** Its value: the API server stores `1000m` as `1`. Undefined for a text that is no quantity. */
export const quantityValue = (text: string): number | undefined => parsed(text)?.amount

/** As the API server writes it back: the largest unit that leaves a whole number. Another text stays as it is. */
export function canonicalQuantity(text: string): string {
  const quantity = parsed(text)
  if (quantity === undefined) return text
  const { amount, units } = quantity
  const thousandths = Math.round(amount * 1000)
  if (thousandths % 1000 !== 0) return `${thousandths}m`
  const [name, size] = units.findLast(([, size]) => amount > 0 && amount % size === 0) ?? ['', 1]
  return `${amount / size}${name}`
}
