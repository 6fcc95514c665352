/** Reasons of the file connector. */
import type { ReasonList } from './list.ts'

export const file = {
  DirectoryNotFound: {
    meaning: 'The directory of the file does not exist.',
    advice: 'Create it.',
  },
  PermissionDenied: {
    meaning: 'The bridge may not write there.',
    advice: 'Change the rights of the file or its directory.',
  },
  ReadOnly: {
    meaning: 'The file system cannot be written.',
    advice: 'Choose a writable place.',
  },
  IsDirectory: {
    meaning: 'The path names a directory.',
    advice: 'Name a file.',
  },
  DiskFull: {
    meaning: 'No room is left. It is tried again.',
    advice: 'Make room.',
  },
  RecordTooLarge: {
    meaning: 'A line of JSON of the record would take more than 64 MiB (also of the console).',
    advice: 'Set delivery.onFailure to DeadLetter, with a sink that takes it.',
  },
  WriteFailed: {
    meaning: 'A write failed for another cause; the message has the system’s word. It is tried again.',
    advice: 'Look at the file system.',
  },
} as const satisfies ReasonList

export type FileReason = keyof typeof file
