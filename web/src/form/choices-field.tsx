import type { InputHTMLAttributes } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { readChoices } from '../api/gateway.ts'
import { asRefused, isAbort, type Refused } from '../api/request.ts'
import type { Choice } from '../api/types.ts'
import { Icon } from '../parts/icon.tsx'
import { sessionPath } from '../parts/paths.ts'
import { visible } from '../parts/visible.ts'

/** Where the values of a parameter come from. */
export interface Offer {
  readonly connection: string
  readonly file: string
  /** The parameter that chooses among the values, with its value. */
  readonly of: { readonly label: string; readonly value: string } | undefined
}

interface ChoicesFieldProps {
  readonly offer: Offer
  readonly parameter: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly onLeave: () => void
  /** Attributes that all fields have. */
  readonly common: InputHTMLAttributes
}

/** More choices make the page slow, and nobody reads them. The rest is found by typing. */
const MAX_SHOWN = 100

/**
 * A field that searches the values of a list by value and label. A value that is not in the list can be typed,
 * because the gateway decides: the list may have changed since it was read.
 */
export function ChoicesField({ offer, parameter, value, onValue, onLeave, common }: ChoicesFieldProps) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const { choices, problem, read } = useChoices(offer, parameter)
  const [isOpen, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const { of } = offer
  const fitting = (choices ?? []).filter((choice) => of === undefined || choice.of === of.value)
  const found = fitting.filter((choice) => has(choice, typed))
  const shown = isOpen ? found.slice(0, MAX_SHOWN) : []
  const close = () => {
    setOpen(false)
    setTyped('')
    setAt(0)
  }
  const take = (choice: Choice) => {
    onValue(choice.value)
    close()
  }
  const move = (step: number) => {
    setOpen(true)
    if (!isOpen || shown.length === 0) return
    const next = (at + step + shown.length) % shown.length
    setAt(next)
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const choice = shown[at]
    if (step !== undefined) move(step)
    else if (event.key === 'Enter' && isOpen && choice !== undefined) take(choice)
    else if (event.key === 'Escape' && isOpen) close()
    else return
    event.preventDefault()
  }
  return (
    <>
      <div class="combobox">
        <input
          {...common}
          type="text"
          role="combobox"
          aria-expanded={shown.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={shown.length > 0 ? `${id}-${at}` : undefined}
          autocomplete="off"
          value={value}
          onFocus={read}
          onClick={() => setOpen(true)}
          onInput={(event) => {
            onValue(event.currentTarget.value)
            setTyped(event.currentTarget.value)
            setAt(0)
            setOpen(true)
          }}
          onKeyDown={onKeyDown}
          onBlur={() => {
            close()
            onLeave()
          }}
        />
        <div
          class="offered"
          hidden={shown.length === 0}
          // The field keeps the focus, otherwise the list would close before the click.
          onMouseDown={(event) => event.preventDefault()}
        >
          <div
            ref={list}
            id={`${id}-list`}
            class="options"
            role="listbox"
            aria-label={`Values of ${visible(parameter)}`}
          >
            {shown.map((choice, index) => (
              <div
                key={choice.value}
                role="option"
                id={`${id}-${index}`}
                aria-selected={index === at}
                onClick={() => take(choice)}
              >
                <div class="row-text">
                  <strong>
                    <bdi>{visible(choice.label)}</bdi>
                  </strong>
                  {choice.label !== choice.value && <bdi class="soft">{visible(choice.value)}</bdi>}
                </div>
              </div>
            ))}
          </div>
          {found.length > shown.length && (
            <p class="hint" role="status">
              {found.length - shown.length} more values: type a part of the value or of its name.
            </p>
          )}
        </div>
      </div>
      <Said {...{ offer, value, choices, fitting, problem }} />
    </>
  )
}

function has({ value, label }: Choice, typed: string): boolean {
  const part = typed.toLowerCase()
  return value.toLowerCase().includes(part) || label.toLowerCase().includes(part)
}

/** Reads the list when the form opens and when the field gets the focus. The gateway keeps a copy for a minute. */
function useChoices({ connection, file }: Offer, parameter: string) {
  const [choices, setChoices] = useState<readonly Choice[] | undefined>(undefined)
  const [problem, setProblem] = useState<Refused | undefined>(undefined)
  const reading = useRef<AbortController | undefined>(undefined)
  const read = () => {
    reading.current?.abort()
    const { signal } = (reading.current = new AbortController())
    readChoices({ connection, file, parameter }, signal).then(
      (answer) => {
        setChoices(answer.choices)
        setProblem(undefined)
      },
      (error: unknown) => {
        if (!isAbort(error)) setProblem(asRefused(error))
      },
    )
  }
  useEffect(() => {
    setChoices(undefined)
    setProblem(undefined)
    if (connection !== '') read()
    return () => reading.current?.abort()
  }, [connection, file, parameter])
  return { choices, problem, read }
}

interface SaidProps {
  readonly offer: Offer
  readonly value: string
  readonly choices: readonly Choice[] | undefined
  readonly fitting: readonly Choice[]
  readonly problem: Refused | undefined
}

function Said({ offer, value, choices, fitting, problem }: SaidProps) {
  const chosen = fitting.find((choice) => choice.value === value)
  if (problem !== undefined)
    return (
      <>
        <p class="hint is-bad" role="status">
          <Icon name="alert" small />
          <span>{visible(problem.message)}</span>
        </p>
        {problem.session !== undefined && (
          <p class="hint">
            <a href={sessionPath(problem.session)}>Session of the list</a>
          </p>
        )}
      </>
    )
  const text = textOf(offer, value, choices, fitting, chosen)
  return text === '' ? null : (
    <p class="hint" role="status">
      {text}
    </p>
  )
}

function textOf(
  { of }: Offer,
  value: string,
  choices: readonly Choice[] | undefined,
  fitting: readonly Choice[],
  chosen: Choice | undefined,
): string {
  if (choices === undefined) return 'Reading the list…'
  if (chosen !== undefined) return chosen.label === chosen.value ? '' : visible(chosen.label)
  if (of?.value === '') return `Fill in ${visible(of.label)} first: it chooses among the values.`
  if (fitting.length === 0)
    return of === undefined
      ? 'The list has no values.'
      : `The list has no values for this ${visible(of.label)}.`
  return value === '' ? '' : 'The list did not have this value when it was read.'
}
