// The camera: a dialog with its picture, in the language of the page.

const words = {
  en: { title: 'Camera', capture: 'Take the picture', cancel: 'Cancel' },
  zh: { title: '相机', capture: '拍下', cancel: '取消' },
};

const element = (name, properties, ...children) => {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
};

// take opens the dialog and gives the picture as a Blob, or null where none was
// taken. Where the camera cannot be used it rejects with the browser's reason.
export async function take() {
  const { title, capture, cancel } = words[document.documentElement.lang] ?? words.en;
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
  const video = element('video', { autoplay: true, muted: true, playsInline: true, srcObject: stream });
  const shoot = element('button', { type: 'button', textContent: capture, disabled: true, className: 'primary' });
  const close = element('button', { type: 'button', textContent: cancel });
  const dialog = element('dialog', { className: 'camera' }, element('h2', { textContent: title }), video, element('p', {}, shoot, close));
  dialog.setAttribute('aria-label', title);
  video.addEventListener('loadeddata', () => { shoot.disabled = false; });
  document.body.append(dialog);
  dialog.showModal();
  try {
    return await new Promise((resolve, reject) => {
      stream.getVideoTracks()[0].addEventListener('ended', () => reject(new Error('the camera was taken away')));
      close.addEventListener('click', () => resolve(null));
      dialog.addEventListener('cancel', () => resolve(null));
      shoot.addEventListener('click', async () => {
        try {
          const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
          canvas.getContext('2d').drawImage(video, 0, 0);
          resolve(await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 }));
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    for (const track of stream.getTracks()) track.stop();
    dialog.close();
    dialog.remove();
  }
}
