/** The shape of the folders: small, and no two that need each other. */
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import test from 'node:test'
import {
  circlesIn,
  folderGraph,
  foldersOf,
  type Graph,
  type Module,
  moduleGraph,
  modulesOf,
} from '../support/imports.ts'
import { type Circle, crowdedFolders, folderCircles, moduleCircles } from './exceptions.ts'

const root = join(import.meta.dirname, '../..')
const everything = modulesOf(root, ['crds', 'operator', 'bridge-runtime', 'cli', 'docs', 'test'])
const shipped = everything.filter(({ path }) => !path.startsWith('test/') && !path.endsWith('.test.ts'))
const shippedGraph = moduleGraph(shipped)

/** A newcomer takes in about a dozen names at a glance. */
const mostModules = 12

const isExcused = (members: readonly string[], folder: string, exceptions: readonly Circle[]): boolean =>
  exceptions.some((known) => known.folder === folder && members.every((member) => known.members.includes(member)))

test('no modules need each other in a circle, types included', () => {
  const faults = circlesIn(moduleGraph(everything)).filter((circle) => !isExcused(circle, '', moduleCircles))
  assert.deepEqual(faults, [])
})

test('no folders need each other in a circle, at any level, types included', () => {
  const faults = foldersOf(shippedGraph.keys()).flatMap((folder) =>
    circlesIn(folderGraph(shippedGraph, folder))
      .filter((circle) => !isExcused(circle, folder, folderCircles))
      .map((circle) => `${folder === '' ? 'the root' : folder}: ${circle.join(', ')}`),
  )
  assert.deepEqual(faults, [])
})

const module = (path: string, ...targets: readonly string[]): Module => ({
  path,
  text: '',
  imports: targets.map((target) => ({ target, typeOnly: true, lazy: false })),
})

const graph = (...modules: readonly Module[]): Graph => moduleGraph(modules)

test('a circle of modules would be found, also one of types', () => {
  assert.deepEqual(circlesIn(graph(module('a', 'b'), module('b', 'c'), module('c', 'b'))), [['b', 'c']])
})

test('a circle of folders would be found where no module is in one', () => {
  const modules = graph(module('x/a/1', 'x/b/1'), module('x/a/2'), module('x/b/1', 'x/a/2'))
  assert.deepEqual(circlesIn(modules), [])
  assert.deepEqual(circlesIn(folderGraph(modules, 'x')), [['a', 'b']])
  assert.deepEqual(foldersOf(modules.keys()), ['', 'x', 'x/a', 'x/b'])
})

test('a circle that grows beyond its exception would be found', () => {
  const known: readonly Circle[] = [{ folder: 'x', members: ['a', 'b', 'c'], reason: 'of the test' }]
  assert.equal(isExcused(['a', 'b'], 'x', known), true)
  assert.equal(isExcused(['a', 'b', 'd'], 'x', known), false)
  assert.equal(isExcused(['a', 'b'], 'y', known), false)
})

test(`no folder has more than ${mostModules} modules, but for those that are listed with a reason`, () => {
  const counts = new Map<string, number>()
  for (const { path } of shipped) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  const most = (folder: string): number =>
    crowdedFolders.find((crowd) => crowd.folder === folder)?.modules ?? mostModules
  const faults = [...counts].filter(([folder, count]) => count > most(folder))
  assert.deepEqual(faults, [])
})
