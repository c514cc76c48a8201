// What every route works with.

import type { FastifyRequest } from 'fastify'
import type { Access } from '../../access/access.ts'
import { type AskedRegister, askedRegister, type QuestionContext } from '../../questions/register.ts'
import type { Recorder } from '../../recording/recorder.ts'

export type Context = QuestionContext & {
  access: Access
  recorder: Recorder
}

/** A part of the path of a request: the text that stands where its route has `:name`. */
export function pathPart(request: FastifyRequest, name: string): string {
  // Safe: the router gives every part that the path of the route names, as text.
  return (request.params as Record<string, string>)[name] as string
}

/** The register that the path of a request names; throws RefusalError `unknown-register`. */
export function registerOf(context: Context, request: FastifyRequest): Promise<AskedRegister> {
  return askedRegister(context, pathPart(request, 'register'))
}
