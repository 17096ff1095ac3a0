/** sd_notify: the container has a socket of its own, in a folder of its state, which the runtime listens to. */
export const notifyDirectory = 'notify';
export const notifySocketFile = 'notify.sock';
/** Where the container sees the folder. */
export const containerDirectory = '/run/notify';
export const containerSocket = `${containerDirectory}/${notifySocketFile}`;
