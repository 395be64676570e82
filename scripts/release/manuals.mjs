// Makes the manual pages of a product from its commands: `runbook-agent.1` has the list of commands, and
// `runbook-agent-NAME.1` has a command with all that is below it.

/**
 * @param root commander's command with all commands of the product
 * @param version of the program
 * @param seconds date of the pages, since 1970
 * @returns the content of each page by its file name
 */
export function manuals(root, version, seconds) {
  const date = new Date(seconds * 1000).toISOString().slice(0, 10)
  const page = (command, name, body) =>
    [
      `.TH ${quoted(name.toUpperCase())} 1 ${date} ${quoted(`runbook-agent ${version}`)} "User Commands"`,
      '.SH NAME',
      `${text(name)} \\- ${text(firstLower(command.description().split('\n')[0]))}`,
      ...body,
      '',
    ].join('\n')
  const pages = new Map()
  const commands = root
    .createHelp()
    .visibleCommands(root)
    .filter((one) => one.name() !== 'help')
  for (const command of commands) {
    const name = `runbook-agent-${command.name()}`
    pages.set(`${name}.1`, page(command, name, [...described(command), ...seeAlso(['runbook-agent'])]))
  }
  const names = commands.map((command) => `runbook-agent-${command.name()}`)
  pages.set(
    'runbook-agent.1',
    page(root, 'runbook-agent', [
      ...described(root),
      '.SH COMMANDS',
      ...commands.flatMap((one) => item(`runbook-agent-${one.name()}(1)`, one.description())),
      ...seeAlso(names),
    ]),
  )
  return pages
}

function described(command, heading = '.SH') {
  const help = command.createHelp()
  const below =
    command.parent === null ? [] : help.visibleCommands(command).filter((one) => one.name() !== 'help')
  const examples = examplesOf(command)
  return [
    ...(heading === '.SH' ? ['.SH SYNOPSIS'] : []),
    '.PP',
    `.B ${text(help.commandUsage(command))}`,
    ...(heading === '.SH' ? ['.SH DESCRIPTION'] : ['.PP']),
    text(command.description()),
    ...list('ARGUMENTS', heading, help.visibleArguments(command), (one) => [
      one.name(),
      help.argumentDescription(one),
    ]),
    ...list('OPTIONS', heading, help.visibleOptions(command), (one) => [
      help.optionTerm(one),
      help.optionDescription(one),
    ]),
    ...below.flatMap((one) => [`.SH ${quoted(one.name().toUpperCase())}`, ...described(one, '.SS')]),
    ...(examples.length === 0
      ? []
      : [`${heading} EXAMPLES`, '.PP', '.nf', ...examples.map((line) => text(line)), '.fi']),
  ]
}

function list(title, heading, entries, termAndText) {
  if (entries.length === 0) return []
  return [`${heading} ${title}`, ...entries.flatMap((one) => item(...termAndText(one)))]
}

function item(term, meaning) {
  return ['.TP', `.B ${text(term)}`, text(meaning)]
}

function seeAlso(names) {
  return ['.SH SEE ALSO', names.map((name) => `.BR ${text(name)} (1)`).join(',\n')]
}

/** Commander keeps examples only in the text that it prints after the help. */
function examplesOf(command) {
  let printed = ''
  const output = command.configureOutput()
  command.configureOutput({ writeOut: (piece) => (printed += piece) })
  command.outputHelp()
  command.configureOutput(output)
  const [, examples = ''] = printed.split('\nExamples:\n')
  return examples
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim())
}

/** Escapes what roff would interpret. A dash has to be `\-`, so that options can be searched and copied. */
function text(plain) {
  const escaped = plain.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('\n', ' ')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}

function quoted(plain) {
  return `"${text(plain)}"`
}

function firstLower(plain) {
  return plain.charAt(0).toLowerCase() + plain.slice(1)
}
