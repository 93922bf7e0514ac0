console.warn('about to fail');
throw new TypeError('the worker is broken');
