#!/usr/bin/env node
import { compiledProgram } from './commands/program/compiled.ts'

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send this
// signal.
process.on('SIGUSR1', () => undefined)

const compiled = compiledProgram(process.argv[2])
void (compiled?.main() ?? import('./commands/program/main.ts').then(({ main }) => main()))
