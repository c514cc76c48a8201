// The services of a storm: as many `pledger serve` as asked for, on one database, each started again whenever it was killed.

import { setTimeout as sleep } from 'node:timers/promises'
import { asRole, ROLES } from '../support/database.ts'
import { type Ending, PLAIN_NODE, type Started, start, withoutHaste } from '../support/process.ts'

type Service = Started & { address: string }

export type Fleet = {
  /** Where services listen, or listened before they were killed. */
  addresses: () => string[]
  /** Kills one with SIGKILL and starts it again after a pause; returns when it listens. */
  kill: (index: number, pauseMs: number) => Promise<void>
  /** Stops all of them in order; returns what they logged as errors. */
  stop: () => Promise<string[]>
  /** What has gone wrong so far: services that ended or did not start, and what they logged as errors. */
  complaints: string[]
}

export type FleetOptions = { databaseUrl: string; count: number; onMoved?: (addresses: string[]) => void }

const ERROR_LEVEL = 50

/** The lines of a service's log that speak of errors. */
function errorsIn(log: string): string[] {
  return withoutHaste(log)
    .split('\n')
    .filter((line) => {
      if (!line.startsWith('{')) return line.trim() !== ''
      try {
        return (JSON.parse(line) as { level: number }).level >= ERROR_LEVEL
      } catch {
        // A line that a kill cut short.
        return false
      }
    })
}

/** Starts the services; they end with the test. */
export async function startFleet(ending: Ending, { databaseUrl, count, onMoved }: FleetOptions): Promise<Fleet> {
  const complaints: string[] = []
  let isStopping = false

  const serve = async (): Promise<Service> => {
    const env = {
      ...PLAIN_NODE,
      PLEDGER_DATABASE_URL: asRole(databaseUrl, ROLES.service),
      PLEDGER_PORT: '0',
      PLEDGER_LOG_LEVEL: 'warn',
    }
    const started = start(ending, ['serve', '--unsafe-database'], env)
    started.ended.then(({ code, signal, err }) => {
      complaints.push(...errorsIn(err))
      const isWanted = signal === 'SIGKILL' || (isStopping && code === 0)
      if (!isWanted) complaints.push(`a service ended by itself with ${code ?? signal}: ${err.slice(-2_000)}`)
    })
    const [, address = ''] = await started.says(/listens on (http:\/\/127\.0\.0\.1:\d+)\n/)
    return { ...started, address }
  }

  const services = await Promise.all(Array.from({ length: count }, serve))
  const addresses = () => services.map(({ address }) => address)
  return {
    addresses,
    complaints,
    async kill(index, pauseMs) {
      const service = services[index] as Service
      service.child.kill('SIGKILL')
      await service.ended
      await sleep(pauseMs)
      services[index] = await serve()
      onMoved?.(addresses())
    },
    async stop() {
      isStopping = true
      for (const { child } of services) child.kill('SIGTERM')
      await Promise.all(services.map(({ ended }) => ended))
      return complaints
    },
  }
}
