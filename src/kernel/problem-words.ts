// Every "no" that Pledger can say, with the HTTP status that carries it. The word is the stable part: it ends the `type` of
// the problem that a caller gets, and it names the refusal of an import line.

const PROBLEMS = {
  malformed: [400, 'The request cannot be read'],
  'beyond-knowledge': [400, 'The log does not reach that far'],
  unauthorized: [401, 'Authentication is needed'],
  forbidden: [403, 'Not permitted'],
  'unknown-register': [404, 'There is no such register'],
  'not-known': [404, 'Not known at that date and knowledge'],
  'unknown-route': [404, 'There is no such resource'],
  method: [405, 'The resource does not have that method'],
  'not-acceptable': [406, 'The resource has no such representation'],
  'slow-request': [408, 'The request came too slowly'],
  'revision-conflict': [409, 'The stream is at another revision'],
  'already-made': [409, 'Made already'],
  'id-reused': [409, 'The id belongs to another event'],
  'in-flight': [409, 'It is still under way'],
  'not-sealed': [409, 'Not sealed yet'],
  redacted: [409, 'The content was redacted'],
  'cursor-expired': [410, 'The cursor is of an older version'],
  'too-large': [413, 'Too large'],
  'unsupported-media-type': [415, 'The body is of an unsupported media type'],
  'invalid-body': [422, 'The body is not valid'],
  'not-made': [422, 'The commitment has not been made'],
  'unknown-party': [422, 'The party is not defined'],
  'unknown-programme': [422, 'The programme is not defined'],
  'unknown-source': [422, 'The source is not defined'],
  'unknown-event': [422, 'There is no such event'],
  'wrong-stream': [422, 'The event stands in another stream'],
  'not-a-fact': [422, 'Only facts can be corrected'],
  'after-withdrawal': [422, 'The commitment had left the scope'],
  'in-future': [422, 'It has not happened yet'],
  'not-retractable': [422, 'The event cannot be retracted'],
  'key-reused': [422, 'The key belongs to another request'],
  'not-available': [422, 'Not available'],
  'rate-limited': [429, 'Too many requests'],
  'header-too-large': [431, 'The header is too large'],
  internal: [500, 'The service failed'],
  'too-slow': [503, 'The follower takes nothing'],
  'too-many-followers': [503, 'Too many followers are connected'],
  'queue-full': [503, 'Too many recordings are waiting'],
  'identity-unavailable': [503, 'The identity provider cannot be reached'],
  'database-unavailable': [503, 'The database cannot be reached'],
  'took-too-long': [503, 'It took too long'],
  'projection-behind': [503, 'The projection has not reached that size'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemWord = keyof typeof PROBLEMS

export const PROBLEM_WORDS = Object.keys(PROBLEMS) as ProblemWord[]

/** The HTTP status of a problem. */
export function problemStatus(word: ProblemWord): number {
  return PROBLEMS[word][0]
}

/** The title of a problem: the same for every occurrence. */
export function problemTitle(word: ProblemWord): string {
  return PROBLEMS[word][1]
}

/** The stable `type` of a problem, a relative reference that the service answers with its meaning. */
export function problemType(word: ProblemWord): string {
  return `/problems/${word}`
}
