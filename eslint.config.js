import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist', 'dist-bundle', 'coverage', 'state', 'examples/shop'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Settings are read in one go. `import()` would make all of that wait for it.
      '@typescript-eslint/no-require-imports': ['error', { allow: ['^yaml$'] }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, ignoreUsingDeclarations: true },
      ],
      // The package marks this function only so that it stands out. The gateway uses it for providers on the
      // loopback.
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', package: 'openid-client', name: 'allowInsecureRequests' }] },
      ],
      // Rooms add to these two by `declare module` (src/gateway/store/room.ts, src/gateway/history/session.ts).
      '@typescript-eslint/no-empty-object-type': ['error', { allowWithName: '^(Tables|SessionFacts)$' }],
      'max-lines': ['error', { max: 400 }],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/basics/abort.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "CallExpression[callee.property.name='addEventListener'][arguments.0.value='abort'], AssignmentExpression[left.property.name='onabort']",
          message: 'A signal that has aborted already never calls it: use onAbort of src/basics/abort.ts.',
        },
        {
          selector:
            ':matches(FunctionDeclaration[async=true], FunctionDeclaration[generator=true])[id.name=/Of$/], MethodDefinition[value.async=true][key.name=/Of$/]',
          message:
            'A noun hides an act: begin the name of what waits or reads with a verb, as in fetchTokens.',
        },
        {
          selector: 'VariableDeclarator[id.name=/^(MOST|LONGEST|LARGEST|LEAST|FEWEST|SMALLEST)(_|$)/]',
          message: 'Begin the name of a bound with MAX_ or MIN_, and name its unit, as in MAX_LINE_BYTES.',
        },
        {
          selector:
            "NewExpression[callee.name=/^(RequestRefused|SignInRefused)$/]:matches([arguments.0.type='Literal'], [arguments.1.type='Literal'])",
          message: 'Name a row of src/gateway/refusals/refusals.ts: refused(...).',
        },
      ],
    },
  },
  { files: ['test/**', 'bench/**'], rules: { 'max-lines': 'off' } },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', module: 'readonly' } },
  },
)
