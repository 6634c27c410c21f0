export { FileStore, type FileStoreOptions } from './file-store.js';
export { HostFile, type HostFileOptions } from './host-file.js';
export { OverlayFile } from './overlay-file.js';
export { HostEntropy } from './host-entropy.js';
export { HostFolder } from './host-folder.js';
export { UnixSockets, type UnixSocketsOptions } from './unix-sockets.js';
