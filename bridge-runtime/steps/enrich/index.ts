import { exactlyOne } from '../../../crds/kit/rules.ts'
import { defineStep } from '../define-step.ts'
import { geo, geoFields } from './geo.ts'
import { table, tableFields } from './table.ts'

export const enrich = defineStep({
  name: 'enrich',
  summary: 'Adds what is known elsewhere.',
  schema: exactlyOne({ geo: geoFields, table: tableFields }),
  open(config, context) {
    if (config.geo !== undefined) return geo(config.geo, { ...context, field: `${context.field}.geo` })
    if (config.table !== undefined) return table(config.table)
    throw new TypeError('enrich says neither geo nor table')
  },
})
