#!/usr/bin/env node
import { keepCompiled } from './commands/program/compile-cache.ts'
import { keepYoungGenerationSmall } from './commands/start/young-generation.ts'

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send it.
process.on('SIGUSR1', () => undefined)

// Here, because to load the rest is what makes the heap grow.
if (process.argv[2] === 'start') keepYoungGenerationSmall()
else keepCompiled(process.argv.slice(2))

void import('./commands/program/main.ts').then(({ main }) => main())
