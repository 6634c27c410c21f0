export { BOOT_ARGS_MAX, bootArgs, type BootArgs } from './boot-args.js';
export { GuestError, type GuestErrorCode } from './error.js';
export { GUEST_IMAGES, guestImage, type GuestImage } from './image.js';
