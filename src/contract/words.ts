import * as v from 'valibot'

// What answers are made of.

export const text = v.string()
export const wholeCount = v.pipe(v.number(), v.integer(), v.minValue(0))
