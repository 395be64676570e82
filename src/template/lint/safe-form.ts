import type { Language } from './place.ts'

/** The form in which a parameter stays data, here and behind a hoop gateway. */
export function safeForm(parameter: string, language: Language | undefined): string {
  const isName = /^\w+$/.test(parameter)
  const name = isName ? parameter : 'name'
  const variable = name.toUpperCase()
  const declared = `{{ .${name} | asenv "${variable}" }} on a line of its own`
  switch (language) {
    case 'shell':
      return `${declared}, and "$${variable}" here`
    case 'sql':
      return `${declared}, \\getenv ${name} ${variable} and :'${name}' here (psql 15); or its base64, decoded by the database`
    case 'python':
      return `${declared}, and os.environ["${variable}"] here`
    case undefined:
      return `${declared}, and the variable ${variable} here`
  }
}
