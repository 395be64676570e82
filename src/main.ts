#!/usr/bin/env node
import { compiledProgram } from './commands/program/compiled.ts'
import { keepYoungGenerationSmall } from './commands/start/young-generation.ts'

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send this
// signal.
process.on('SIGUSR1', () => undefined)

// Called before the rest is loaded, since loading makes the heap grow.
if (process.argv[2] === 'start') keepYoungGenerationSmall()

const compiled = compiledProgram(process.argv[2])
void (compiled?.main() ?? import('./commands/program/main.ts').then(({ main }) => main()))
