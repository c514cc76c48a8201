import type { RegisterAnswer } from '../answers.ts'
import { Title } from '../parts/frame.tsx'
import { shell } from '../strings.ts'

export function Log({ register }: { register: RegisterAnswer }) {
  return <Title over={register.title}>{shell.views.log}</Title>
}
