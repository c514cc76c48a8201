// Examples in the description of the API: what a service over the samples answers, and bodies that it takes. They are generated
// (`npm run generate`) and stand in a file beside the description, in the checkout and in what is published.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A body of a request or an answer by its media type: JSON as a value, anything else as text. */
type Bodies = Record<string, unknown>

/** The examples of the API: for each operation a request, where it takes a body, and answers by their status. */
export type Examples = Record<string, { request?: Bodies; responses: Record<string, Bodies> }>

const FILE = join(import.meta.dirname, '../../../openapi/examples.json')

/** The generated examples; none where the file is not there. Throws where it is no JSON. */
export function readExamples(file = FILE): Examples {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

type Content = { content?: Record<string, { example?: unknown }> }
type Operation = { operationId?: string; requestBody?: Content; responses?: Record<string, Content> }

function addTo({ content = {} }: Content, bodies: Bodies): void {
  for (const [type, media] of Object.entries(content)) if (type in bodies) media.example = bodies[type]
}

/** The description of the API with an example beside each schema of a body that there is one for. */
export function withExamples<T extends { paths?: unknown }>(document: T, examples: Examples): T {
  // Safe: the operations of a document, of which only the members named above are read.
  const operations = Object.values((document.paths ?? {}) as Record<string, Record<string, Operation>>)
  for (const { operationId = '', requestBody, responses = {} } of operations.flatMap(Object.values<Operation>)) {
    const known = examples[operationId]
    if (!known) continue
    if (requestBody) addTo(requestBody, known.request ?? {})
    for (const [status, response] of Object.entries(responses)) addTo(response, known.responses[status] ?? {})
  }
  return document
}
