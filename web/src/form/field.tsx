import { useId, useState } from 'preact/hooks'
import { Icon } from '../parts/icon.tsx'
import { visible, visibleLines } from '../parts/visible.ts'
import { ChoicesField, type Offer } from './choices-field.tsx'
import { labelOf, type Parameter } from './parameters.ts'

interface FieldProps {
  readonly parameter: Parameter
  readonly value: string
  /** The problem with the value. It is undefined as long as it should not be shown. */
  readonly problem: string | undefined
  readonly onValue: (value: string) => void
  readonly onLeave: () => void
  /** The list of the values, in a form that knows the connection. */
  readonly offer?: Offer | undefined
}

export function Field(props: FieldProps) {
  const { parameter, problem } = props
  const id = useId()
  const isNeeded = parameter.required && (parameter.default ?? '') === ''
  const label = labelOf(parameter)
  const isNamed = label === parameter.name
  return (
    <div class="field">
      <span class="line">
        <label for={id}>
          <bdi>{visible(label)}</bdi>
        </label>
        {isNeeded && <span class="hint">required</span>}
        {!isNamed && <code class="hint push">{visible(parameter.name)}</code>}
      </span>
      {isNamed && parameter.description !== '' && (
        <p id={`${id}-about`} class="hint" dir="auto">
          {visibleLines(parameter.description)}
        </p>
      )}
      <Control {...props} id={id} describedBy={describedBy(id, props)} />
      {problem !== undefined && (
        <p id={`${id}-problem`} class="hint is-bad">
          <Icon name="alert" small />
          {problem === parameter.requiredText ? (
            <span dir="auto">{visible(problem)}</span>
          ) : (
            <span>
              <bdi>{visible(label)}</bdi> {visible(problem)}
            </span>
          )}
        </p>
      )}
    </div>
  )
}

function describedBy(id: string, { parameter, problem }: FieldProps): string | undefined {
  const parts = [
    parameter.description === '' || labelOf(parameter) !== parameter.name ? undefined : `${id}-about`,
    problem === undefined ? undefined : `${id}-problem`,
  ]
  const text = parts.filter((part) => part !== undefined).join(' ')
  return text === '' ? undefined : text
}

interface ControlProps extends FieldProps {
  readonly id: string
  readonly describedBy: string | undefined
}

function Control(props: ControlProps) {
  const { parameter, value, onValue } = props
  const common = commonOf(props)
  if (props.offer !== undefined)
    return <ChoicesField {...props} offer={props.offer} parameter={parameter.name} common={common} />
  if (parameter.options.length > 0) return <Options {...props} />
  if (parameter.type === 'file') return <FileField {...props} />
  if (parameter.type === 'textarea')
    return (
      <textarea {...common} rows={5} value={value} onInput={(event) => onValue(event.currentTarget.value)} />
    )
  return (
    <input
      {...common}
      type={inputType(parameter.type)}
      inputMode={parameter.type === 'number' ? 'decimal' : undefined}
      value={value}
      autoComplete={parameter.type === 'password' ? 'new-password' : 'off'}
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  )
}

function commonOf({ id, parameter, problem, describedBy, onLeave }: ControlProps) {
  return {
    id,
    name: parameter.name,
    'aria-describedby': describedBy,
    'aria-invalid': problem !== undefined,
    'aria-required': parameter.required,
    placeholder: visible(parameter.placeholder),
    dir: 'auto' as const,
    spellcheck: false,
    onBlur: onLeave,
  }
}

/**
 * Uses `text` for all other types, because browsers would change the typed text, but the runbook needs it
 * unchanged. The cast is for Preact's types, which accept only a single type.
 */
function inputType(type: string): 'text' {
  return (['password', 'date', 'tel', 'url', 'email'].includes(type) ? type : 'text') as 'text'
}

function Options(props: ControlProps) {
  const { parameter, value, onValue } = props
  const { options } = parameter
  const isListed = options.includes(value)
  const mayBeNone = !parameter.required || !isListed
  return (
    <select {...commonOf(props)} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
      {mayBeNone && <option value="">(none)</option>}
      {!isListed && value !== '' && <option value={value}>{visible(value)}</option>}
      {options.map((option) => (
        <option key={option} value={option}>
          {visible(option)}
        </option>
      ))}
    </select>
  )
}

/** Reads the chosen file and sends its text, as the command line does. */
function FileField(props: ControlProps) {
  const [problem, setProblem] = useState('')
  const read = async (file: File | undefined) => {
    setProblem('')
    try {
      const bytes = (await file?.arrayBuffer()) ?? new ArrayBuffer()
      props.onValue(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    } catch {
      props.onValue('')
      setProblem('This file is not UTF-8 text, or cannot be read. Choose another file.')
    }
  }
  return (
    <>
      <input
        {...commonOf(props)}
        type="file"
        onChange={(event) => void read(event.currentTarget.files?.[0])}
      />
      {problem !== '' && (
        <p class="hint is-bad" role="alert">
          <Icon name="alert" small />
          {problem}
        </p>
      )}
    </>
  )
}
