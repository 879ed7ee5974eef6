import { NAME_BYTES_MAX } from '../ingest/read-text.ts'
import { nameTrouble } from '../text/name.ts'
import { nearest } from '../text/nearest.ts'
import type { Json } from '../text/canonical-json.ts'
import { albFormat } from './alb-format.ts'
import { ENVOY_DEFAULT, ENVOY_JSON_ROLES, envoyFormat } from './envoy-format.ts'
import { EXCUSED, type LineRules, type Places, type Route, type ValueSource } from './event-of-line.ts'
import { jsonFormat } from './json-format.ts'
import { LOG_FORMATS, type LogFormat, type LogFormatName, ROLES, type Roles } from './log-format.ts'
import {
  childOf,
  entriesOf,
  type MapField,
  type MapProblem,
  membersOf,
  refuseField,
  refuseKey,
  textOfField,
} from './map-field.ts'
import { COMBINED, type CompiledFormat, nginxFormat } from './nginx-format.ts'
import { readFieldName, readSources } from './read-value-source.ts'
import { readTemplate, type RouteTemplate, RouteTree } from './route-tree.ts'

export type ReadLogMap =
  | { readonly ok: true; readonly rules: LineRules }
  | { readonly ok: false; readonly problems: readonly MapProblem[] }

/** Templates of one mapping: an API of that many paths has a mapping for each part. */
export const TEMPLATES_MAX = 5000
/** If the mapping has none. */
const SOURCE = '/access-log'

const KEYS = [
  'format',
  'logFormat',
  'fields',
  'source',
  'account',
  'project',
  'region',
  'operations',
  'ignore',
]
const EXAMPLE = 'write format:, account: and operations:'
const OPERATIONS = 'write GET /v1/photos/{project}/faces: DetectFaces'
const PLACES = ['account', 'project', 'region'] as const

/**
 * Read a mapping from plain data, as a YAML parser gave it. Everything is checked, also against the format: what
 * a mapping names must be in the log.
 * @param format from the command line; undefined when the mapping has it
 */
export function readLogMap(data: Json, format: LogFormatName | undefined): ReadLogMap {
  const problems: MapProblem[] = []
  const root: MapField = { value: data, path: [], problems }
  const members = membersOf(root, KEYS, EXAMPLE)
  const read = members && readFormat(root, members, format)
  if (!read) return { ok: false, problems }
  const roles = readRoles(members.get('fields') ?? root, members, read)
  const sourceField = members.get('source')
  const source = sourceField ? textOfField(sourceField, 'write a name such as /gateway/eu-1') : SOURCE
  const routes = new RouteTree<Route>()
  const templates = readTemplates(root, members)
  const everywhere = readPlaces(members, read, parametersOf(templates.map(({ template }) => template)))
  if (!members.has('account')) refuseMissing(root, 'account', 'account: { header: X-Account }')
  for (const { field, template } of templates) {
    const route = readOperation(field, { format: read, template, everywhere })
    if (route && !routes.add(template, route)) refuseKey(field, 'is there twice', 'remove one of the two')
  }
  const excused = readIgnore(members.get('ignore'), routes)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, rules: { format: read, roles, source: source!, routes, excused } }
}

type Members = ReadonlyMap<string, MapField>

function refuseMissing(root: MapField, key: string, fix: string): undefined {
  const isMisspelt = root.problems.some((problem) => problem.fix === `write ${key}`)
  if (isMisspelt) return undefined
  refuseField(childOf(root, key, null), 'is missing', `add ${fix}`)
}

function readFormat(
  root: MapField,
  members: Members,
  asked: LogFormatName | undefined,
): LogFormat | undefined {
  const field = members.get('format')
  const own = field && LOG_FORMATS.find((name) => name === field.value)
  if (field && !own) {
    const guess = typeof field.value === 'string' ? nearest(field.value, LOG_FORMATS) : undefined
    return refuseField(field, 'is no format', `write ${guess ?? LOG_FORMATS.join(', ')}`)
  }
  if (field && asked && own !== asked) {
    return refuseField(field, `is ${own}, and --format says ${asked}`, 'leave out one of the two')
  }
  const name = own ?? asked
  if (!name) return refuseMissing(root, 'format', `format: nginx (or ${LOG_FORMATS.slice(1).join(', ')})`)
  const textField = members.get('logFormat')
  const text = textField && textOfField(textField, "write the log_format of nginx, or Envoy's text_format")
  if (textField && text === undefined) return undefined
  if (textField && name !== 'nginx' && name !== 'envoy') {
    return refuseField(textField, `says nothing for ${name}, whose lines are always alike`, 'remove it')
  }
  const compiled = compile(name, text)
  if (compiled.ok) return compiled.format
  return refuseField(textField!, `cannot be used. ${compiled.message.replace(/\.$/, '')}`, compiled.fix)
}

function compile(name: LogFormatName, text: string | undefined): CompiledFormat {
  if (name === 'alb') return { ok: true, format: albFormat() }
  if (name === 'json') return { ok: true, format: jsonFormat('json', {}) }
  if (name === 'envoy' && text === 'json') return { ok: true, format: jsonFormat('envoy', ENVOY_JSON_ROLES) }
  if (name === 'envoy') return envoyFormat(text ?? ENVOY_DEFAULT)
  return nginxFormat(text ?? COMBINED, name)
}

/** The format's own roles and those that the mapping names; an event needs a request, a status and a time. */
function readRoles(field: MapField, members: Members, format: LogFormat): Roles {
  const named: Record<string, string> = {}
  const own = members.get('fields')
  const entries =
    own && membersOf(own, ROLES, `write status: and the name of the field; known: ${ROLES.join(', ')}`)
  for (const [role, child] of entries ?? []) {
    const name = textOfField(child, 'write the name of a field of the log')
    const source = name === undefined ? undefined : readFieldName(child, name, format)
    if (source) named[role] = source.name
  }
  const roles: Roles = { ...format.roles, ...named }
  const lacks = [
    ...(roles.request === undefined && (!roles.method || !roles.path)
      ? ['request (or method and path)']
      : []),
    ...(roles.status === undefined ? ['status'] : []),
    ...(roles.time === undefined ? ['time'] : []),
  ]
  if (lacks.length > 0 && field.problems.length === 0) {
    const fix = format.fields ? 'log it too' : 'add fields: { method: …, path: …, status: …, time: …, id: … }'
    refuseField(field, `has no field for ${lacks.join(' and ')}`, fix)
  }
  return roles
}

interface TemplateField {
  readonly field: MapField
  readonly template: RouteTemplate
}

function readTemplates(root: MapField, members: Members): readonly TemplateField[] {
  const field = members.get('operations')
  if (!field) refuseMissing(root, 'operations', `operations: ${OPERATIONS.replace('write ', '')}`)
  const entries = field && entriesOf(field, OPERATIONS)
  if (!entries) return []
  if (entries.size === 0 || entries.size > TEMPLATES_MAX) {
    refuseField(field, `has ${entries.size} templates`, `write 1 to ${TEMPLATES_MAX}`)
    return []
  }
  return [...entries].flatMap(([text, child]) => {
    const template = readTemplate(text)
    if (typeof template !== 'string') return [{ field: child, template }]
    refuseKey(child, 'is no template', template)
    return []
  })
}

function parametersOf(templates: readonly RouteTemplate[]): ReadonlySet<string> {
  const segments = templates.flatMap((template) => template.segments)
  return new Set(segments.flatMap((one) => (one !== 'rest' && 'parameter' in one ? [one.parameter] : [])))
}

function readPlaces(members: Members, format: LogFormat, parameters: ReadonlySet<string>): Places {
  const read = (place: string): readonly ValueSource[] => {
    const field = members.get(place)
    return field ? readSources(field, { format, parameters }) : []
  }
  return { account: read('account'), project: read('project'), region: read('region') }
}

interface OperationContext {
  readonly format: LogFormat
  readonly template: RouteTemplate
  /** What holds unless the operation says otherwise. */
  readonly everywhere: Places
}

/** `DetectFaces`, or `{ operation: DetectFaces, project: { path: project } }`. */
function readOperation(
  field: MapField,
  { format, template, everywhere }: OperationContext,
): Route | undefined {
  if (typeof field.value === 'string') {
    const operation = operationOf(field, OPERATIONS)
    return operation === undefined ? undefined : { ...everywhere, operation }
  }
  const fix = 'write the name of an operation, or { operation: DetectFaces, project: { path: project } }'
  const members = membersOf(field, ['operation', ...PLACES], fix)
  if (!members) return undefined
  const named = members.get('operation')
  if (!named) return refuseField(childOf(field, 'operation', null), 'is missing', fix)
  const operation = operationOf(named, fix)
  if (operation === undefined) return undefined
  const own = readPlaces(members, format, parametersOf([template]))
  const place = (name: (typeof PLACES)[number]) => (members.has(name) ? own[name] : everywhere[name])
  return { operation, account: place('account'), project: place('project'), region: place('region') }
}

/** The name of an operation that events can have, and price books list. */
function operationOf(field: MapField, fix: string): string | undefined {
  const operation = textOfField(field, fix)
  const trouble = operation === undefined ? undefined : nameTrouble(operation, NAME_BYTES_MAX)
  return trouble === undefined ? operation : refuseField(field, trouble, 'write it without')
}

/** Templates of what is not billed, and words for lines that are no usable request. */
function readIgnore(field: MapField | undefined, routes: RouteTree<Route>): ReadonlySet<string> {
  const excused = new Set<string>()
  if (!field) return excused
  const { value } = field
  const words = Object.keys(EXCUSED).join(', ')
  if (!Array.isArray(value) || value.length > TEMPLATES_MAX) {
    refuseField(field, `is not a list of at most ${TEMPLATES_MAX}`, `write - GET /healthz, or - ${words}`)
    return excused
  }
  for (const [at, one] of (value as readonly Json[]).entries()) {
    const child = childOf(field, at, one)
    const text = textOfField(child, `write a template such as GET /healthz, or one of ${words}`)
    if (text === undefined) continue
    if (Object.hasOwn(EXCUSED, text)) {
      excused.add(EXCUSED[text as keyof typeof EXCUSED])
      continue
    }
    const template = readTemplate(text)
    if (typeof template === 'string') refuseField(child, 'is no template', `${template}; or one of ${words}`)
    else if (!routes.add(template, 'ignore')) {
      refuseField(child, 'is there already, among the operations or here', 'remove one of the two')
    }
  }
  return excused
}
