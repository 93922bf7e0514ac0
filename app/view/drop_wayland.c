//go:build linux

#include "drop_wayland.h"
#include "_cgo_export.h"

// A listener's first argument is what it was added with, here a number: a Go
// function must not take one for a pointer.
static void ignore() {}

static const struct wl_registry_listener registry_listener = {
	.global = (void (*)(void *, struct wl_registry *, uint32_t, const char *, uint32_t))duetGlobal,
	.global_remove = (void (*)(void *, struct wl_registry *, uint32_t))duetGlobalRemove,
};

static const struct wl_data_device_listener device_listener = {
	.data_offer = (void (*)(void *, struct wl_data_device *, struct wl_data_offer *))duetDataOffer,
	.enter = (void (*)(void *, struct wl_data_device *, uint32_t, struct wl_surface *, wl_fixed_t, wl_fixed_t, struct wl_data_offer *))duetDragEnter,
	.leave = (void (*)(void *, struct wl_data_device *))duetDragLeave,
	.motion = (void (*)(void *, struct wl_data_device *, uint32_t, wl_fixed_t, wl_fixed_t))ignore,
	.drop = (void (*)(void *, struct wl_data_device *))duetDragDrop,
	.selection = (void (*)(void *, struct wl_data_device *, struct wl_data_offer *))duetSelection,
};

static const struct wl_data_offer_listener offer_listener = {
	.offer = (void (*)(void *, struct wl_data_offer *, const char *))duetOfferType,
	.source_actions = (void (*)(void *, struct wl_data_offer *, uint32_t))ignore,
	.action = (void (*)(void *, struct wl_data_offer *, uint32_t))ignore,
};

struct wl_registry *duet_registry(struct wl_display *display, struct wl_event_queue *queue, uintptr_t taker) {
	struct wl_display *wrapper = wl_proxy_create_wrapper(display);
	if (!wrapper)
		return NULL;
	wl_proxy_set_queue((struct wl_proxy *)wrapper, queue);
	struct wl_registry *registry = wl_display_get_registry(wrapper);
	wl_proxy_wrapper_destroy(wrapper);
	if (registry)
		wl_registry_add_listener(registry, &registry_listener, (void *)taker);
	return registry;
}

void duet_listen_device(struct wl_data_device *device, uintptr_t taker) {
	wl_data_device_add_listener(device, &device_listener, (void *)taker);
}

void duet_listen_offer(struct wl_data_offer *offer, uintptr_t taker) {
	wl_data_offer_add_listener(offer, &offer_listener, (void *)taker);
}
