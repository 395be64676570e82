#!/usr/bin/env node
// `node bench/draw.mjs`: draws docs/performance.svg from bench/results.json and the older results in
// bench/results.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, URL } from 'node:url'
import { curves } from './report/curves.mjs'
import { goalBars } from './report/goal-bars.mjs'
import { keptResults } from './report/results.mjs'
import { svg, text } from './report/svg.mjs'

const results = JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8'))
const to = fileURLToPath(new URL('../docs/performance.svg', import.meta.url))

const { date, commit, node, cpus, rounds } = results
const title = `${date.slice(0, 10)}, ${commit}, Node ${node.slice(1)}, ${cpus} cores, ${rounds === 1 ? 'one round' : `median of ${rounds} rounds`}`
const bars = goalBars(results, keptResults(), 60)
const growth = curves(results.figures, bars.bottom + 30)
const parts = [text(20, 26, title, { size: 15 }), bars.drawing, growth.drawing]
writeFileSync(to, svg(820, growth.bottom + 20, parts.join('\n')))
process.stdout.write(`${to}\n`)
