// How much memory a process has held at its peak, and the row about that of the service.

import { readFile } from 'node:fs/promises'
import { type Measured, measured, type Tell } from './measure.ts'

const SERVE_LIMIT_MB = 300

/**
 * Row `memory-serve`: what the service has held at most while the other rows were measured, beside what it may. No row where
 * the system does not tell.
 */
export async function memoryRow(pid: number, tell: Tell): Promise<Measured[]> {
  if (process.platform !== 'linux') {
    tell(`memory-serve: left out, as ${process.platform} does not tell what a process has held`)
    return []
  }
  return [measured('memory-serve', 'MB', await peakMemory(pid), SERVE_LIMIT_MB)]
}

/** The most memory that a process has held so far, in MB of 2^20 bytes; Linux only. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`no VmHWM in /proc/${pid}/status`)
  return Number(kilobytes) / 1_024
}
