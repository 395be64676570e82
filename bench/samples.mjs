/** One value per round for each figure. Figures are in the order in which they were first added. */
export class Samples {
  /** @type {Map<string, { unit: string, values: number[] }>} */
  #figures = new Map()

  /**
   * @param {string} name
   * @param {string} unit
   * @param {number} value
   */
  add(name, unit, value) {
    const figure = this.#figures.get(name) ?? { unit, values: [] }
    figure.values.push(value)
    this.#figures.set(name, figure)
  }

  /** @returns {{ name: string, unit: string, median: number, min: number, max: number, values: number[] }[]} */
  summary() {
    return [...this.#figures].map(([name, { unit, values }]) => ({
      name,
      unit,
      median: percentile(values, 50),
      min: Math.min(...values),
      max: Math.max(...values),
      values,
    }))
  }
}

/**
 * Returns the percentile by the method of the nearest rank.
 * @param {readonly number[]} values at least one
 * @param {number} percent 0 to 100
 */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
}
