// How much memory a process has held at its peak, and the rows about the service and the replay.

import { readFile } from 'node:fs/promises'
import { type Measured, measured } from './measure.ts'

const SERVE_LIMIT_MB = 512
const REPLAY_LIMIT_MB = 900
const LOOK_MS = 100

/** Whether the system tells what a process has held. */
export const TELLS_MEMORY = process.platform === 'linux'

/** Row `memory-serve`: what the service has held at most while the other rows were measured, beside what it may. */
export async function serveMemoryRow(pid: number): Promise<Measured> {
  return measured('memory-serve', 'MB', await peakMemory(pid), SERVE_LIMIT_MB)
}

/** Row `memory-replay`: what a replay has held at most, beside what it may. */
export function replayMemoryRow(peak: number): Measured {
  return measured('memory-replay', 'MB', peak, REPLAY_LIMIT_MB)
}

/** Watches a process until it ends; what is returned tells the most that it has held, with its threads, in MB. */
export function watchMemory(pid: number): () => number {
  let peak = 0
  const look = async () => {
    peak = await peakMemory(pid).catch(() => peak) // it has ended
  }
  const timer = setInterval(look, LOOK_MS)
  return () => {
    clearInterval(timer)
    return peak
  }
}

/** The most memory that a process has held so far, in MB of 2^20 bytes; Linux only. */
export function peakMemory(pid: number): Promise<number> {
  return memoryOf(pid, 'VmHWM')
}

/** The memory that a process holds now, in MB; Linux only. */
export function memoryNow(pid: number): Promise<number> {
  return memoryOf(pid, 'VmRSS')
}

async function memoryOf(pid: number, field: 'VmHWM' | 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`no ${field} in /proc/${pid}/status`)
  return Number(kilobytes) / 1_024
}
