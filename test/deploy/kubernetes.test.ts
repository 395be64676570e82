import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import * as v from 'valibot'
import { parse, parseAllDocuments } from 'yaml'
import { parseDuration } from '../../src/basics/text/units.ts'
import { settings, variableOf } from '../../src/config/table.ts'
import { settingsOf } from '../support/settings.ts'
import { missingProgram } from '../support/machine/servers.ts'

const root = fileURLToPath(new URL('../../deploy/kubernetes', import.meta.url))
const schema = fileURLToPath(new URL('../fixtures/kubernetes-schemas/schema.json', import.meta.url))
/** Kubernetes reads YAML 1.1, where 0400 is octal. */
const YAML = { version: '1.1' } as const

interface Variable {
  readonly name: string
  readonly value: string
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}
interface Container {
  readonly name: string
  readonly image: string
  readonly env: readonly Variable[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly livenessProbe: Probe
  readonly readinessProbe?: Probe
  readonly resources: object
  readonly securityContext: object
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}
interface Volume {
  readonly name: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string }
  readonly secret?: object
}
interface Workload {
  readonly kind: string
  readonly spec: {
    readonly replicas: number
    readonly strategy?: object
    readonly template: {
      readonly spec: {
        readonly automountServiceAccountToken: boolean
        readonly shareProcessNamespace?: boolean
        readonly terminationGracePeriodSeconds: number
        readonly securityContext: object
        readonly containers: readonly Container[]
        readonly volumes: readonly Volume[]
      }
    }
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
}
interface Kustomization {
  readonly resources: readonly string[]
  readonly images: readonly { readonly name: string }[]
}

const validate = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(schema, 'utf8')) as object,
)
const folders = ['base', 'sidecar']
const read = (...names: string[]): string => readFileSync(path.join(root, ...names), 'utf8')
const documents = (text: string): unknown[] =>
  parseAllDocuments(text, YAML).map((document) => document.toJS() as unknown)

/** The one workload of a folder; that it has this shape is what the schema has shown. */
function workload(folder: string): Workload {
  const file = folder === 'base' ? 'deployment.yaml' : 'postgres.yaml'
  const found = documents(read(folder, file)).find((one) => (one as Workload).kind !== 'Service')
  if (!validate(found)) throw new Error(`${folder}/${file} is not valid`)
  return found as Workload
}
const podOf = (folder: string) => workload(folder).spec.template.spec
function agentOf(folder: string): Container {
  const agent = podOf(folder).containers.find(({ name }) => name === 'agent')
  if (agent === undefined) throw new Error(`${folder} has no container "agent"`)
  return agent
}
const valueOf = (folder: string, variable: string) =>
  agentOf(folder).env.find(({ name }) => name === variable)?.value

describe('the schema', () => {
  const original = read('base', 'deployment.yaml')
  test.each([
    ['a field that does not exist', 'runAsNonRoot', 'runAsNonroot'],
    ['a field in the wrong place', 'terminationGracePeriodSeconds: 120', 'replicas: 90'],
    ['text for a number', 'containerPort: 9100', 'containerPort: http'],
    ['one for a list', 'drop: [ALL]', 'drop: ALL'],
    ['a missing field', '- name: agent', '-'],
    ['another kind', 'kind: Deployment', 'kind: Deploy'],
    ['a version that it does not have', 'apiVersion: apps/v1', 'apiVersion: apps/v1beta1'],
  ])('refuses %s', (_, right, wrong) => {
    expect(validate(parse(original, YAML))).toBe(true)
    expect(original).toContain(right)
    expect(validate(parse(original.replace(right, wrong), YAML))).toBe(false)
  })
})

describe.each(folders)('the manifests in %s', (folder) => {
  const { resources, images } = parse(read(folder, 'kustomization.yaml'), YAML) as Kustomization

  test('are what Kubernetes takes, each document', () => {
    for (const file of resources)
      for (const document of documents(read(folder, file))) {
        validate(document)
        expect(validate.errors ?? []).toEqual([])
      }
  })

  test('are all listed, and every image that is set is used', () => {
    const files = readdirSync(path.join(root, folder)).filter((name) => name !== 'kustomization.yaml')
    expect(resources.toSorted()).toEqual(files.toSorted())
    const used = podOf(folder).containers.map(({ image }) => image)
    for (const { name } of images) expect(used).toContain(name)
  })

  test.skipIf(missingProgram('kubectl'))('are built by kubectl kustomize (needs kubectl)', () => {
    const built = execFileSync('kubectl', ['kustomize', path.join(root, folder)], { encoding: 'utf8' })
    for (const document of documents(built)) {
      validate(document)
      expect(validate.errors ?? []).toEqual([])
    }
  })

  test('have one agent for one key, and never two for a moment', () => {
    const { spec, kind } = workload(folder)
    expect(spec.replicas).toBe(1)
    // A StatefulSet replaces its pod in place.
    if (kind === 'Deployment') expect(spec.strategy).toEqual({ type: 'Recreate' })
  })

  test('set settings that exist, to values that they take', () => {
    for (const { name, value } of agentOf(folder).env.filter(
      ({ name }) => name !== 'CREDENTIALS_DIRECTORY',
    )) {
      const setting = settings.find((one) => variableOf(one.name) === name)
      expect(setting, name).toBeDefined()
      expect(setting && v.safeParse(setting.kind, value).success, `${name}=${value}`).toBe(true)
    }
  })

  test('give the agent the time that it takes to stop', () => {
    const seconds = ['RUNBOOK_AGENT_DRAIN', 'RUNBOOK_AGENT_KILL_GRACE']
      .map((name) => parseDuration(valueOf(folder, name) ?? '') ?? NaN)
      .reduce((sum, ms) => sum + ms / 1000, 0)
    expect(podOf(folder).terminationGracePeriodSeconds).toBeGreaterThanOrEqual(seconds + 15)
  })

  test('ask the port that the agent is told to open, and only readiness depends on the gateway', () => {
    const { ports, livenessProbe, readinessProbe } = agentOf(folder)
    const port = ports.find(({ name }) => name === 'http')?.containerPort
    expect(valueOf(folder, 'RUNBOOK_AGENT_HTTP')).toBe(`0.0.0.0:${port ?? 'none'}`)
    expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' })
    // Beside a database it would take the database out of its service.
    const expected = folder === 'sidecar' ? undefined : { path: '/readyz', port: 'http' }
    expect(readinessProbe?.httpGet).toEqual(expected)
  })

  test('leave the agent no right that it does not need', () => {
    const pod = podOf(folder)
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.shareProcessNamespace ?? false).toBe(false)
    expect({ ...pod.securityContext, ...agentOf(folder).securityContext }).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  test('have a volume for each folder that is written, secrets in memory and every one bounded', () => {
    const { spec } = workload(folder)
    const { volumes } = podOf(folder)
    const volumeAt = (at: string | undefined) => {
      const name = agentOf(folder).volumeMounts.find(({ mountPath }) => mountPath === at)?.name
      return volumes.find((volume) => volume.name === name)
    }
    expect(volumeAt(valueOf(folder, 'RUNBOOK_AGENT_RUNTIME_DIR'))?.emptyDir).toMatchObject({
      medium: 'Memory',
    })
    for (const at of [valueOf(folder, 'RUNBOOK_AGENT_STATE_DIR'), '/home/runbook-agent', '/tmp'])
      expect(volumeAt(at)?.emptyDir, at).toHaveProperty('sizeLimit')
    const names = [...volumes, ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata)]
    for (const { volumeMounts } of podOf(folder).containers)
      for (const { name } of volumeMounts) expect(names.map((one) => one.name)).toContain(name)
  })

  test('mount the key as a file, for this container alone', () => {
    const file = valueOf(folder, 'RUNBOOK_AGENT_KEY_FILE') ?? ''
    expect(valueOf(folder, 'CREDENTIALS_DIRECTORY')).toBe(path.dirname(file))
    const mounts = podOf(folder).containers.flatMap(({ name, volumeMounts }) =>
      volumeMounts.filter((mount) => mount.name === 'key').map((mount) => [name, mount.mountPath]),
    )
    expect(mounts).toEqual([['agent', path.dirname(file)]])
    expect(podOf(folder).volumes.find(({ name }) => name === 'key')?.secret).toEqual({
      secretName: 'runbook-agent-key',
      defaultMode: 0o400,
      items: [{ key: 'hoop-key', path: path.basename(file) }],
    })
  })
})

describe('the gateway', () => {
  const folder = 'gateway'
  const { resources, images } = parse(read(folder, 'kustomization.yaml'), YAML) as Kustomization
  const [service, set] = documents(read(folder, 'gateway.yaml')) as [GatewayService, GatewaySet]
  const pod = set.spec.template.spec
  const [check, gateway] = [pod.initContainers[0], pod.containers[0]]
  const settings = () => {
    const docs = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
    const [, yaml = ''] = /```yaml\n# gateway\.yaml\n(.*?)```/s.exec(docs) ?? []
    const withoutTls = yaml.replace(/^ {2}tls:\n( {4}.*\n)+/m, '  allow-remote: true\n')
    expect(withoutTls).not.toBe(yaml)
    const hash = `sha256:${'ab'.repeat(32)}`
    const text = withoutTls.replaceAll('sha256:...', hash).replace(hash, `sha256:${'cd'.repeat(32)}`)
    return { yaml, parsed: settingsOf(text) }
  }

  test('is what Kubernetes takes, each document, and its image is set', () => {
    for (const document of [service, set]) {
      validate(document)
      expect(validate.errors ?? []).toEqual([])
    }
    expect(resources).toEqual(['gateway.yaml'])
    const used = [...pod.initContainers, ...pod.containers].map(({ image }) => image)
    expect(new Set(used)).toEqual(new Set(images.map(({ name }) => name)))
  })

  test.skipIf(missingProgram('kubectl'))('is built by kubectl kustomize (needs kubectl)', () => {
    const built = execFileSync('kubectl', ['kustomize', path.join(root, folder)], { encoding: 'utf8' })
    expect(documents(built)).toHaveLength(2)
    for (const document of documents(built)) {
      validate(document)
      expect(validate.errors ?? []).toEqual([])
    }
  })

  test('is one, on a volume that stays', () => {
    expect([set.kind, set.spec.replicas]).toEqual(['StatefulSet', 1])
    expect(set.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name)).toEqual(['state'])
  })

  test('has a minute more than running sessions have to end', () => {
    const { stopTimeoutMs } = settings().parsed
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(stopTimeoutMs / 1000 + 60)
  })

  test('keeps the state for its user alone: rights of the volume are set once', () => {
    expect(pod.securityContext).toMatchObject({ fsGroup: 10001, fsGroupChangePolicy: 'OnRootMismatch' })
  })

  test('is checked before it starts, by the same settings', () => {
    expect(gateway.args.slice(0, 3)).toEqual(['runbook-agent', 'gateway', '--config'])
    expect(check.args).toEqual([...gateway.args.slice(0, 2), '--check', ...gateway.args.slice(2)])
    const names = ({ volumeMounts }: GatewayContainer) => volumeMounts.map(({ name }) => name)
    expect(names(gateway)).toEqual(expect.arrayContaining(names(check)))
  })

  test('listens where the settings of the docs say, and is asked and reached there', () => {
    const { listen } = settings().parsed
    const port = (name: string) => gateway.ports.find((one) => one.name === name)?.containerPort
    for (const name of ['http', 'grpc', 'metrics'] as const)
      expect(listen[name], name).toEqual({ host: '0.0.0.0', port: port(name) })
    for (const { name, port: outside, targetPort } of service.spec.ports)
      expect([outside, targetPort]).toEqual([port(name), name])
    expect(service.spec.selector).toEqual(set.spec.template.metadata.labels)
    expect(gateway.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' })
    expect(gateway.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'metrics' })
  })

  test('has its files where the settings of the docs say, and a volume for each folder that is written', () => {
    const { yaml, parsed } = settings()
    const mountOf = (name: string) =>
      gateway.volumeMounts.find((mount) => mount.name === name)?.mountPath ?? '?'
    expect(path.dirname(gateway.args.at(-1) ?? '')).toBe(mountOf('config'))
    expect(yaml).toContain(`certificate: ${mountOf('tls')}/tls.crt`)
    expect(yaml).toContain(`key: ${mountOf('tls')}/tls.key`)
    // The root of the volume belongs to root.
    expect(path.dirname(parsed.state)).toBe(mountOf('state'))
    const volumes = [...pod.volumes, ...set.spec.volumeClaimTemplates.map(({ metadata }) => metadata)]
    for (const { name } of [...check.volumeMounts, ...gateway.volumeMounts])
      expect(volumes.map((one) => one.name)).toContain(name)
    for (const { emptyDir } of pod.volumes)
      if (emptyDir !== undefined) expect(emptyDir).toHaveProperty('sizeLimit')
  })

  test('has no right that it does not need', () => {
    expect(pod.automountServiceAccountToken).toBe(false)
    for (const { securityContext } of [check, gateway])
      expect({ ...pod.securityContext, ...securityContext }).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10001,
        runAsGroup: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
  })
})

interface GatewayContainer extends Container {
  readonly args: readonly string[]
}
interface GatewaySet {
  readonly kind: string
  readonly spec: {
    readonly replicas: number
    readonly volumeClaimTemplates: readonly { readonly metadata: { readonly name: string } }[]
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: Workload['spec']['template']['spec'] & {
        readonly initContainers: readonly [GatewayContainer]
        readonly containers: readonly [GatewayContainer]
      }
    }
  }
}
interface GatewayService {
  readonly spec: {
    readonly selector: object
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[]
  }
}

test('the agent of the sidecar is that of the deployment, but for what its comments say', () => {
  const { readinessProbe, image, resources, securityContext, ...same } = agentOf('base')
  expect(agentOf('sidecar')).toMatchObject(same)
  expect(agentOf('sidecar').env).toEqual(same.env)
  expect(agentOf('sidecar').securityContext).toMatchObject(securityContext)
  for (const differing of [readinessProbe, image, resources]) expect(differing).toBeDefined()
})
