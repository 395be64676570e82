import { allEqual, digitsOf, pattern, type Recognizer, weighted } from './recognizer.ts'

const CPF = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
const CNPJ = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
const PIS = [3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
const CNS = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

function cpf(match: string): boolean {
  return endsInTwoDigits(digitsOf(match), CPF)
}

function cnpj(match: string): boolean {
  return endsInTwoDigits(digitsOf(match), CNPJ)
}

/**
 * Checks the numbers PIS, PASEP, NIS, NIT and RENAVAM, which all have the same weights. Only the words around
 * a number show its type.
 */
function pis(match: string): boolean {
  const digits = digitsOf(match)
  return digits.length === 11 && !allEqual(digits) && checkDigit(digits, PIS) === digits[10]
}

/**
 * Checks the last two digits. The first check digit uses the weights of the second check digit without the
 * first weight.
 */
function endsInTwoDigits(digits: readonly number[], weights: readonly number[]): boolean {
  const { length } = weights
  if (digits.length !== length + 1 || allEqual(digits)) return false
  return (
    checkDigit(digits, weights.slice(1)) === digits[length - 1] &&
    checkDigit(digits, weights) === digits[length]
  )
}

function checkDigit(digits: readonly number[], weights: readonly number[]): number {
  const rest = weighted(digits, weights) % 11
  return rest < 2 ? 0 : 11 - rest
}

/**
 * Checks the number of a driving licence. If the first remainder is ten, two is subtracted from the second
 * remainder.
 */
function cnh(match: string): boolean {
  const digits = digitsOf(match)
  if (digits.length !== 11 || allEqual(digits)) return false
  const first = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11
  const second = weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11
  const shifted = first === 10 ? (second + 9) % 11 : second
  return digits[9] === first % 10 && digits[10] === (second === 10 ? 0 : shifted)
}

/**
 * Checks the number of a health card. A number that begins with 1 or 2 consists of a PIS number, 000 or 001,
 * and a check digit. A number that begins with 7, 8 or 9 has only a checksum.
 */
function cns(match: string): boolean {
  const digits = digitsOf(match)
  if (digits.length !== 15) return false
  if (/^[789]/.test(match)) return weighted(digits, CNS) % 11 === 0
  return /^[12]/.test(match) && isDefinitiveCns(digits)
}

function isDefinitiveCns(digits: readonly number[]): boolean {
  const sum = weighted(digits, CNS.slice(0, 11))
  const isShifted = sum % 11 === 1
  const last = (11 - ((isShifted ? sum + 2 : sum) % 11)) % 11
  return digits.slice(11).join('') === `00${isShifted ? 1 : 0}${last}`
}

/**
 * Checks a voter's number of the regions 01 to 28. In regions 01 and 02, the check digit for a remainder of
 * zero may also be 1.
 */
function titulo(match: string): boolean {
  const digits = digitsOf(match)
  const region = weighted(digits.slice(8), [10, 1])
  if (digits.length !== 12 || region < 1 || region > 28) return false
  const first = weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9]) % 11
  const second = weighted(digits.slice(8), [7, 8, 9]) % 11
  return isVoterDigit(digits[10], first, region) && isVoterDigit(digits[11], second, region)
}

function isVoterDigit(digit: number | undefined, rest: number, region: number): boolean {
  return digit === rest % 10 || (region < 3 && rest === 0 && digit === 1)
}

export const BRAZIL: readonly Recognizer[] = [
  {
    name: 'BrCpfRecognizer',
    type: 'BR_CPF',
    patterns: [pattern(String.raw`\b\d{3}\.\d{3}\.\d{3}-\d{2}\b`, 0.4), pattern(String.raw`\b\d{11}\b`, 0.3)],
    context: ['cpf', 'cadastro de pessoas físicas'],
    check: cpf,
  },
  {
    name: 'BrCnpjRecognizer',
    type: 'BR_CNPJ',
    patterns: [
      pattern(String.raw`\b\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}\b`, 0.4),
      pattern(String.raw`\b\d{14}\b`, 0.3),
    ],
    context: ['cnpj', 'cadastro nacional'],
    check: cnpj,
  },
  {
    name: 'BrRgRecognizer',
    type: 'BR_RG',
    patterns: [pattern(String.raw`\b\d{1,2}\.\d{3}\.\d{3}-[0-9Xx]\b`, 0.4)],
    context: ['rg', 'registro geral', 'identidade', 'carteira de identidade'],
  },
  {
    name: 'BrCnhRecognizer',
    type: 'BR_CNH',
    patterns: [pattern(String.raw`\b\d{11}\b`, 0.3)],
    context: ['cnh', 'habilitação', 'carteira de motorista'],
    check: cnh,
  },
  {
    name: 'BrPisRecognizer',
    type: 'BR_PIS',
    patterns: [pattern(String.raw`\b\d{3}\.\d{5}\.\d{2}-\d\b`, 0.4), pattern(String.raw`\b\d{11}\b`, 0.3)],
    context: ['pis', 'pasep', 'nis', 'nit'],
    check: pis,
  },
  {
    name: 'BrCnsRecognizer',
    type: 'BR_CNS',
    patterns: [pattern(String.raw`\b\d{3}(?: \d{4}){3}\b`, 0.4), pattern(String.raw`\b\d{15}\b`, 0.3)],
    context: ['cns', 'cartão nacional de saúde', 'cartao nacional de saude', 'sus'],
    check: cns,
  },
  {
    name: 'BrTituloEleitoralRecognizer',
    type: 'BR_TITULO_ELEITORAL',
    patterns: [pattern(String.raw`\b\d{4} \d{4} \d{4}\b`, 0.4), pattern(String.raw`\b\d{12}\b`, 0.3)],
    context: ['título', 'titulo', 'eleitor', 'eleitoral', 'tse'],
    check: titulo,
  },
  {
    name: 'BrRenavamRecognizer',
    type: 'BR_RENAVAM',
    patterns: [pattern(String.raw`\b\d{11}\b`, 0.3)],
    context: ['renavam', 'veículo', 'veiculo', 'detran', 'crlv'],
    check: pis,
  },
  {
    name: 'BrCepRecognizer',
    type: 'BR_CEP',
    patterns: [pattern(String.raw`\b\d{5}-\d{3}\b`, 0.5)],
    context: ['cep', 'código postal', 'codigo postal', 'endereço', 'endereco'],
  },
  {
    name: 'BrCepUnformattedRecognizer',
    type: 'BR_CEP',
    patterns: [pattern(String.raw`\b\d{8}\b`, 0.8)],
    labels: ['cep', 'codigo postal', 'código postal', 'postal code', 'zip'],
  },
  {
    name: 'BrPlacaRecognizer',
    type: 'BR_PLACA',
    patterns: [
      pattern(String.raw`\b[A-Za-z]{3}\d[A-Za-z]\d{2}\b`, 0.6),
      pattern(String.raw`\b[A-Za-z]{3}-\d{4}\b`, 0.6),
    ],
    context: ['placa', 'veículo', 'veiculo', 'carro'],
  },
  {
    name: 'BrPixKeyRecognizer',
    type: 'BR_PIX_KEY',
    patterns: [
      pattern(
        String.raw`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}\b`,
        0.8,
      ),
    ],
    labels: ['pix', 'evp'],
  },
]
