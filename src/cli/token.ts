// `pledger token`, `pledger register` and `pledger principal`: who may do what. They write to the database with the rights of its
// owner; a running service notices within seconds.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { ALL_REGISTERS, type Grant, ROLES, type Role } from '../access/grants.ts'
import { forgetPrincipal, listPrincipals } from '../access/principals.ts'
import { listPublic, setPublic } from '../access/public-registers.ts'
import { createToken, type ListedToken, listTokens, revokeToken } from '../access/tokens.ts'
import { listHeads } from '../eventlog/heads.ts'
import { parseDay } from '../kernel/plain-date.ts'
import { CommandError, registerOption, type Session, withDatabase } from './program.ts'

const DAY_MS = 86_400_000
const DURATION = /^([1-9]\d{0,4})([dh])$/
const NEVER = 'never'

/** A day (its end, UTC), a duration from now on, or never; wrong usage where it is none of them. */
function expiry(text: string): string {
  if (text === NEVER || DURATION.test(text) || parseDay(text) !== null) return text
  throw new InvalidArgumentError('expected a day (2027-06-30), a time from now on (90d, 12h) or never.')
}

/** When that is, in milliseconds since the epoch; null: never. Throws CommandError where it is over. */
function expiresAt(text: string, now: number): number | null {
  if (text === NEVER) return null
  const [, count, unit] = DURATION.exec(text) ?? []
  if (count !== undefined) return now + Number(count) * (unit === 'd' ? DAY_MS : DAY_MS / 24)
  // Safe: checked when the option was read.
  const at = ((parseDay(text) as number) + 1) * DAY_MS
  if (at > now) return at
  throw new CommandError(`--expires ${text} is over`, 2)
}

const MAX_NAME = 200

/** A name that a terminal can show on a line. */
function personName(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_NAME && !/\p{C}/u.test(text)) return text
  throw new InvalidArgumentError(`expected 1 to ${MAX_NAME} characters on one line.`)
}

function registerOrAll(text: string): string {
  return text === ALL_REGISTERS ? text : registerOption(text)
}

/** Collects what is given several times. */
function several<T>(parse: (text: string) => T) {
  return (text: string, before: T[] = []) => [...new Set([...before, parse(text)])]
}

function role(text: string): Role {
  const found = ROLES.find((one) => one === text)
  if (found) return found
  throw new InvalidArgumentError(`expected one of ${ROLES.join(', ')}.`)
}

type NewToken = { name: string; role: Role[]; register: string[]; expires: string }

async function create({ db }: Session, given: NewToken): Promise<void> {
  const now = Date.now()
  const grants = given.role.flatMap((role) => given.register.map((register): Grant => ({ role, register })))
  const expires = expiresAt(given.expires, now)
  const known = new Set((await listHeads(db)).map(({ register }) => register))
  const { id, text } = await createToken(db, { name: given.name, grants, expiresAt: expires, now })
  process.stdout.write(`${text}\n`)
  process.stderr.write(`token ${id}: ${describe(grants)}, ${until(expires)}. It is shown this once.\n`)
  for (const register of given.register.filter((one) => one !== ALL_REGISTERS && !known.has(one)))
    process.stderr.write(`there is no register ${register} yet\n`)
}

function describe(grants: readonly Grant[]): string {
  return grants.map(({ role, register }) => `${role}:${register}`).join(' ')
}

function until(expiresAt: number | null): string {
  return expiresAt === null ? 'does not expire' : `expires ${new Date(expiresAt).toISOString()}`
}

function stateOf({ revokedAt, expiresAt }: ListedToken, now: number): string {
  if (revokedAt !== null) return `revoked ${new Date(revokedAt).toISOString()}`
  if (expiresAt !== null && expiresAt <= now) return `expired ${new Date(expiresAt).toISOString()}`
  return until(expiresAt)
}

/** As `--json` has it: instants in RFC 3339. */
function jsonOf({ id, name, grants, ...instants }: ListedToken) {
  const texts = Object.entries(instants).map(([key, at]) => [key, at === null ? null : new Date(at).toISOString()])
  return { id, name, grants, ...Object.fromEntries(texts) }
}

async function list({ db }: Session, isJson: boolean): Promise<void> {
  const tokens = await listTokens(db)
  if (isJson) return void process.stdout.write(`${JSON.stringify(tokens.map(jsonOf), null, 2)}\n`)
  if (tokens.length === 0) process.stdout.write('no tokens: pledger token create\n')
  for (const token of tokens) {
    const used = token.lastUsedAt === null ? 'never used' : `last used ${new Date(token.lastUsedAt).toISOString()}`
    process.stdout.write(
      `${token.id}  ${token.name ?? '(name erased)'}\n  ${describe(token.grants)}, ${stateOf(token, Date.now())}, ${used}\n`,
    )
  }
}

async function revoke({ db }: Session, id: string): Promise<void> {
  if (!(await revokeToken(db, id, Date.now())))
    throw new CommandError(`there is no token ${id}: see pledger token list`)
  process.stdout.write(`token ${id} is revoked\n`)
}

export function tokenCommand(program: Command): void {
  const command = program.command('token').description('create, list and revoke tokens')
  command
    .command('create')
    .description('make a token and print it once; the database keeps only its hash')
    .requiredOption('--name <name>', 'the holder of the token; the API never shows it', personName)
    .addOption(
      new Option('--role <role>', `the role: ${ROLES.join(', ')}; may be given several times`)
        .argParser(several(role))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--register <id>', 'the register, * for all; may be given several times')
        .argParser(several(registerOrAll))
        .makeOptionMandatory(),
    )
    .requiredOption('--expires <when>', 'a day (2027-06-30), a time from now on (90d, 12h) or never', expiry)
    .action((given: NewToken) => withDatabase((session) => create(session, given)))
  command
    .command('list')
    .description('show the tokens, without their secrets')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => withDatabase((session) => list(session, json === true)))
  command
    .command('revoke <id>')
    .description('revoke a token: services refuse it within five seconds')
    .action((id: string) => withDatabase((session) => revoke(session, id)))
}

async function publish({ db }: Session, register: string, isPublic: boolean): Promise<void> {
  if (!(await listHeads(db)).some((head) => head.register === register))
    throw new CommandError(`there is no register ${register}`)
  await setPublic(db, register, isPublic, Date.now())
  process.stdout.write(`${register}: ${isPublic ? 'everyone may read it' : 'only callers with a role may read it'}\n`)
}

export function registerCommand(program: Command): void {
  const command = program.command('register').description('let everyone read a register, or end that')
  command
    .command('publish <id>')
    .description('everyone may read it, without credentials')
    .action((id: string) => withDatabase((session) => publish(session, id, true)))
  command
    .command('unpublish <id>')
    .description('only callers with a role may read it')
    .action((id: string) => withDatabase((session) => publish(session, id, false)))
  command
    .command('list')
    .description('show the registers, and which are public')
    .action(() =>
      withDatabase(async ({ db }) => {
        const open = await listPublic(db)
        for (const { register } of await listHeads(db))
          process.stdout.write(`${register}${open.has(register) ? '  public' : ''}\n`)
      }),
    )
}

export function principalCommand(program: Command): void {
  const command = program.command('principal').description('the names behind the ids that events keep as recordedBy')
  command
    .command('list')
    .description('show ids and names')
    .action(() =>
      withDatabase(async ({ db }) => {
        for (const { id, name } of await listPrincipals(db)) process.stdout.write(`${id}  ${name}\n`)
      }),
    )
  command
    .command('forget <id>')
    .description('erase a name; the id stays in the log')
    .action((id: string) =>
      withDatabase(async ({ db }) => {
        if (!(await forgetPrincipal(db, id))) throw new CommandError(`there is no name for ${id}`)
        process.stdout.write(`${id}: its name is erased\n`)
      }),
    )
}
