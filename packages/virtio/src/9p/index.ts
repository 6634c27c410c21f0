export { P9Error } from './errno.js';
export * as errno from './errno.js';
export type {
  Creator,
  FileStatus,
  FileSystem,
  FileSystemStatus,
  OpenFile,
  StatusChange,
} from './file-system.js';
export { MemoryFileSystem, type MemoryFileSystemOptions } from './memory-file-system.js';
export { Virtio9p, type Virtio9pOptions } from './p9.js';
export { Place } from './places.js';
export * as p9 from './registers.js';
export { P9Server, type P9ServerOptions } from './server.js';
