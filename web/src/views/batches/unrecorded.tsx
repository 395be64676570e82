import { useEffect, useId, useState } from 'preact/hooks'
import { readRunbooks } from '../../api/gateway.ts'
import type { Batch, RunbookItem } from '../../api/types.ts'
import { Field } from '../../form/field.tsx'
import { parametersOf, type Parameter, type Values } from '../../form/parameters.ts'
import { encoded, linesOf } from '../runbooks/variables.ts'

/** The values of a batch that are not recorded, as the user types them again. */
export function useUnrecorded(batch: Batch) {
  const {
    parameters = [],
    env_vars: variables = [],
    client_args: hasArguments = false,
  } = batch.not_recorded ?? {}
  const item = useItem(batch, parameters.length > 0)
  const declared = item === undefined ? [] : parametersOf(item)
  const [values, setValues] = useState<Values>({})
  const [args, setArgs] = useState('')
  const fields = [
    ...parameters.map((name) => declared.find((one) => one.name === name) ?? secret(name, 'password')),
    ...variables.map((name) => secret(name, name.startsWith('filesystem:') ? 'file' : 'password')),
  ]
  const sent = () => ({
    parameters: Object.fromEntries(parameters.map((name) => [name, values[name] ?? ''])),
    env_vars: Object.fromEntries(variables.map((name) => [name, encoded(values[name] ?? '')])),
    ...(hasArguments && { client_args: linesOf(args) }),
  })
  const set = (name: string, value: string) => setValues((before) => ({ ...before, [name]: value }))
  return { fields, values, set, hasArguments, args, setArgs, sent }
}

/** The runbook of the batch, which has the types of its parameters. */
function useItem({ repository, file_name: file }: Batch, isNeeded: boolean): RunbookItem | undefined {
  const [item, setItem] = useState<RunbookItem | undefined>(undefined)
  useEffect(() => {
    if (!isNeeded) return undefined
    const ended = new AbortController()
    readRunbooks(ended.signal).then(
      ({ repositories }) => {
        const items = repositories.find((one) => one.repository === repository)?.items
        setItem(items?.find(({ name }) => name === file))
      },
      // Without the list each value has a field for a password.
      () => undefined,
    )
    return () => ended.abort()
  }, [repository, file, isNeeded])
  return item
}

function secret(name: string, type: string): Parameter {
  return {
    ...{ name, type, required: false, requiredText: undefined, description: '', default: undefined },
    ...{ placeholder: '', pattern: undefined, options: [], minLength: undefined, maxLength: undefined },
  }
}

export function UnrecordedFields({
  unrecorded: { fields, values, set, hasArguments, args, setArgs },
}: {
  readonly unrecorded: ReturnType<typeof useUnrecorded>
}) {
  const id = useId()
  if (fields.length === 0 && !hasArguments) return null
  return (
    <fieldset class="stack">
      <legend>Not recorded: type it again</legend>
      {fields.map((parameter) => (
        <Field
          key={parameter.name}
          parameter={parameter}
          value={values[parameter.name] ?? ''}
          problem={undefined}
          onValue={(value) => set(parameter.name, value)}
          onLeave={() => undefined}
        />
      ))}
      {hasArguments && (
        <div class="field">
          <label for={id}>Arguments</label>
          <p class="hint">One argument on each line.</p>
          <textarea
            id={id}
            rows={2}
            value={args}
            spellcheck={false}
            onInput={(event) => setArgs(event.currentTarget.value)}
          />
        </div>
      )}
    </fieldset>
  )
}
