import { expect, it } from 'vitest'
import { farewellOf } from '../../../src/client/running/farewell.ts'

const query = Buffer.from('Q\0\0\0\x0dselect 1\0')
const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])
const encryption = Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f])
const row = Buffer.from('D\0\0\0\x0a\0\x01\0\0\0\0')
const packet = (seq: number, text: string) =>
  Buffer.concat([Buffer.from([text.length, 0, 0, seq]), Buffer.from(text)])

it('a PostgreSQL client is told between two messages, and never within one', () => {
  const farewell = farewellOf('postgres')
  farewell?.fromClient(Buffer.concat([encryption, startup, query]))
  expect(farewell?.error('gone')).toBeUndefined()
  farewell?.fromServer(Buffer.from('N'))
  expect(farewell?.error('gone')?.toString()).toBe('E\0\0\0\x20SFATAL\0VFATAL\0C08006\0Mgone\0\0')
  farewell?.fromServer(row.subarray(0, 7))
  expect(farewell?.error('gone')).toBeUndefined()
  farewell?.fromServer(row.subarray(7))
  expect(farewell?.error('gone')).toBeDefined()
  farewell?.fromServer(Buffer.from('D\0\0\0\0'))
  expect(farewell?.error('gone')).toBeUndefined()
})

it('a MySQL client is told where it waits for an answer, with the number that it expects', () => {
  const farewell = farewellOf('mysql')
  expect(farewell?.error('gone')?.subarray(3)).toEqual(Buffer.from('\0\xff\x1d\x04gone', 'latin1'))
  farewell?.fromServer(packet(0, 'greeting'))
  expect(farewell?.error('gone')).toBeUndefined()
  farewell?.fromClient(packet(1, 'login'))
  expect(farewell?.error('gone')?.subarray(3)).toEqual(Buffer.from('\x02\xff\x1d\x04#08S01gone', 'latin1'))
  farewell?.fromServer(packet(2, 'OK'))
  farewell?.fromClient(packet(0, 'select 1').subarray(0, 6))
  expect(farewell?.error('gone')).toBeUndefined()
})

it('other clients cannot be told anything', () => {
  expect(farewellOf('tcp')).toBeUndefined()
})
