#!/usr/bin/env node
import { main } from './commands/program/main.ts'

// Node opens its debugger on SIGUSR1, to every user of this machine; any script of a runbook could send it.
process.on('SIGUSR1', () => undefined)

void main()
