import { cnh, cnpj, cns, cpf, pis, titulo } from '../checks/brazil.ts'
import { pattern, type Recognizer } from './recognizer.ts'

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
