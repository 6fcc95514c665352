import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { staleFiles } from '../crds/generate/files.ts'
import { allGeneratedFiles } from '../docs/generate/files.ts'
import { modulesOf } from './support/imports.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const everything = modulesOf(root, ['crds', 'operator', 'bridge-runtime', 'cli', 'docs', 'test'])
const shipped = everything.filter(({ path }) => !path.startsWith('test/') && !path.endsWith('.test.ts'))

interface Boundary {
  readonly promise: string
  /** The modules it binds. */
  readonly from: RegExp
  /** Among them, those it does not bind. */
  readonly except?: RegExp
  /** What they may import; everything else is a fault. */
  readonly to: RegExp
  /** Binds types too. */
  readonly types?: boolean
}

/** What reads the world and writes to it in the operator, and the clock that says when. */
const operatorEffects =
  /operator\/streambridge\/(apply|reconcile|status\/publish|observe\/(observe|watches|checksum-key|read-report))\.ts$/

const boundaries: readonly Boundary[] = [
  {
    promise: 'nothing that is shipped imports a test',
    from: /./,
    to: /^(?!test\/|.*\.test\.ts$)/,
    types: true,
  },
  {
    promise: 'the kit of the schema, on which connectors and the composed API stand, imports only zod and itself',
    from: /^crds\/kit\//,
    to: /^(zod$|crds\/kit\/)/,
    types: true,
  },
  {
    promise: 'a connector, the core, the leases and the history see of the API only its kit',
    from: /^bridge-runtime\/(connectors|core|history|leases|lease-stores|steps|formats|expressions|pipeline|draft|values|regex|texts)\//,
    to: /^(?!crds\/(?!kit\/))/,
    types: true,
  },
  {
    promise: 'the schema imports only zod, its kit, the catalogues and itself',
    from: /^crds\/schema\//,
    to: /^(zod$|crds\/(schema|kit)\/|bridge-runtime\/((connectors|formats|steps|lease-stores)\/(catalog|define-connector))\.ts$)/,
    types: true,
  },
  {
    promise: 'the rest of crds imports only the schema, the catalogue and what it says of sizes',
    from: /^crds\/(?!schema\/|kit\/)/,
    to: /^(zod$|yaml$|node:|crds\/|bridge-runtime\/connectors\/(catalog|define-connector|record-sizes)\.ts$)/,
    types: true,
  },
  {
    promise: 'the core imports no SDK and no connector',
    from: /^bridge-runtime\/core\//,
    to: /^(node:crypto$|bridge-runtime\/core\/)/,
  },
  {
    promise: 'the runtime never imports the operator or the command line',
    from: /^bridge-runtime\//,
    to: /^(?!operator\/|cli\/)/,
    types: true,
  },
  {
    promise: 'a connector’s definition and schema load no SDK',
    from: /^bridge-runtime\/connectors\/[^/]+\/(index|schema)\.ts$/,
    to: /^(zod$|re2js$|crds\/kit\/|bridge-runtime\/connectors\/(define-connector\.ts$|[^/]+\/))/,
  },
  {
    promise: 'what connectors share knows none of them',
    from: /^bridge-runtime\/connectors\/(fields|requests)\//,
    to: /^(?!bridge-runtime\/connectors\/(?!fields\/|requests\/)[^/]+\/)/,
    types: true,
  },
  {
    promise: 'operator/kube knows nothing of bridges, but for the list of resources',
    from: /^operator\/kube\//,
    except: /\/resources\.ts$/,
    to: /^(?!operator\/(?!kube\/)|crds\/|bridge-runtime\/(?!core\/clock\.ts|observability\/logger\.ts))/,
    types: true,
  },
  {
    promise: 'of the runtime the operator sees the catalogue, the clock, the logger and the HTTP server',
    from: /^operator\/(streambridge\/|[^/]+$)/,
    to: /^(?!bridge-runtime\/(?!connectors\/(catalog|define-connector)\.ts|core\/clock\.ts|observability\/(logger|http)\.ts))/,
    types: true,
  },
  {
    promise: 'what decides in the operator does no I/O',
    from: /^operator\/streambridge\//,
    except: operatorEffects,
    to: new RegExp(
      String.raw`^(zod$|node:crypto$|crds/(schema|kit)/|bridge-runtime/connectors/catalog\.ts$|crds/manifest-shape\.ts$|operator/kube/(api|pod-spec|resources|format/[a-z]+)\.ts$|(?!${operatorEffects.source})operator/streambridge/)`,
    ),
  },
  {
    promise: 'only its own folder knows of which kind the workload is: the others see its contract',
    from: /^operator\/streambridge\/(?!workload\/)/,
    to: /^(?!operator\/streambridge\/workload\/(?!(contract|rollout|workload)\.ts$))/,
    types: true,
  },
]

for (const { promise, from, except, to, types = false } of boundaries)
  test(promise, () => {
    const bound = shipped.filter(({ path }) => from.test(path) && except?.test(path) !== true)
    const faults = bound.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, typeOnly, lazy }) => !lazy && (types || !typeOnly) && !to.test(target))
        .map(({ target }) => `${path} imports ${target}`),
    )
    assert.notEqual(bound.length, 0)
    assert.deepEqual(faults, [])
  })

test('connectors never import each other', () => {
  // What they share is in two rooms of its own.
  const folder = /^bridge-runtime\/connectors\/(?!fields\/|requests\/)([^/]+)\//
  const faults = shipped.flatMap(({ path, imports }) => {
    const own = folder.exec(path)?.[1]
    const others = imports.filter(({ target }) => own !== undefined && (folder.exec(target)?.[1] ?? own) !== own)
    return others.map(({ target }) => `${path} imports ${target}`)
  })
  assert.deepEqual(faults, [])
})

test('what decides names no kind of workload', () => {
  const outside = shipped.filter(({ path }) => /^operator\/streambridge\/(?!workload\/)/.test(path))
  assert.deepEqual(
    outside.filter(({ text }) => /deployment/i.test(text)).map(({ path }) => path),
    [],
  )
})

test('what decides reads no clock, no environment and no random number', () => {
  const pure = shipped.filter(({ path }) => /^(crds\/schema|operator\/streambridge|bridge-runtime\/core)\//.test(path))
  const faults = pure
    .filter(({ path }) => !operatorEffects.test(path) && !path.endsWith('/core/clock.ts'))
    .filter(({ text }) =>
      /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\b|\bprocess\.env\b|\bfetch\(/.test(text),
    )
  assert.deepEqual(
    faults.map(({ path }) => path),
    [],
  )
})

test('no module is longer than 300 lines', () => {
  const long = everything.filter(({ text }) => text.split('\n').length > 301)
  assert.deepEqual(
    long.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`),
    [],
  )
})

test('what ARCHITECTURE.md and CONTRIBUTING.md name exists', () => {
  const missing = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((page) => {
    const named = readFileSync(join(root, page), 'utf8').matchAll(/`([\w.-]+\/[\w./-]*|[\w-]+\.(?:md|json))`/g)
    return [...named]
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`)
  })
  assert.deepEqual(missing, [])
})

test('generated files are fresh: otherwise run `npm run generate`', async () => {
  assert.deepEqual(await staleFiles(await allGeneratedFiles(pathToFileURL(root)), pathToFileURL(root)), [])
})
