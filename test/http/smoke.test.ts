import t from 'tap'
import { testService } from '../support/service.ts'

t.test('a register is opened and read back', async (t) => {
  const service = await testService(t)
  const opened = await service.post('/v1/registers', { id: 'demo', title: 'Demo', parties: [{ id: 'A', name: 'A' }], timeZone: 'UTC' })
  t.equal(opened.status, 201)
  const read = await service.get('/v1/registers/demo')
  t.strictSame(read.body, { id: 'demo', title: 'Demo', parties: [{ id: 'A', name: 'A' }], timeZone: 'UTC', size: 1, recordedAt: '2026-03-01T12:00:00.000Z' })
})
