//go:build darwin && !ios

#import <AppKit/AppKit.h>
#import <objc/runtime.h>
#include "_cgo_export.h"

// The key of what a view is associated with: the number of its taker.
static char takerKey;

static NSNumber *takerOf(id view) {
	return objc_getAssociatedObject(view, &takerKey);
}

static NSDragOperation draggingEntered(id self, SEL _cmd, id<NSDraggingInfo> drag) {
	return takerOf(self) ? NSDragOperationCopy : NSDragOperationNone;
}

static BOOL performDragOperation(id self, SEL _cmd, id<NSDraggingInfo> drag) {
	NSNumber *taker = takerOf(self);
	if (!taker)
		return NO;
	NSPasteboard *board = [drag draggingPasteboard];
	NSArray<NSURL *> *files = [board readObjectsForClasses:@[ [NSURL class] ]
	                                               options:@{NSPasteboardURLReadingFileURLsOnlyKey : @YES}];
	NSMutableData *content = [NSMutableData data];
	if ([files count] > 0) {
		for (NSURL *file in files) {
			const char *path = [[file path] UTF8String]; // of a file reference, too
			[content appendBytes:path length:strlen(path) + 1];
		}
	} else {
		NSString *text = [board stringForType:NSPasteboardTypeString];
		if (!text)
			return NO;
		[content appendData:[text dataUsingEncoding:NSUTF8StringEncoding]];
	}
	duetDropped([taker unsignedLongValue], (char *)[content bytes], (int)[content length], [files count] > 0);
	return YES;
}

// Views belong to the main thread. One that takes drops is held until it leaves
// them, since Gio's may be gone by then.

void duet_take_drops(uintptr_t handle, uintptr_t taker) {
	NSView *view = (__bridge NSView *)CFRetain((void *)handle);
	dispatch_async(dispatch_get_main_queue(), ^{
	  NSString *performing = [NSString stringWithFormat:@"%s@:@", @encode(BOOL)];
	  class_addMethod([view class], @selector(draggingEntered:), (IMP)draggingEntered, "Q@:@");
	  class_addMethod([view class], @selector(performDragOperation:), (IMP)performDragOperation, [performing UTF8String]);
	  objc_setAssociatedObject(view, &takerKey, @(taker), OBJC_ASSOCIATION_RETAIN);
	  [view registerForDraggedTypes:@[ NSPasteboardTypeFileURL, NSPasteboardTypeString ]];
	});
}

void duet_leave_drops(uintptr_t handle) {
	dispatch_async(dispatch_get_main_queue(), ^{
	  NSView *view = (__bridge_transfer NSView *)(void *)handle;
	  NSNumber *taker = takerOf(view);
	  [view unregisterDraggedTypes];
	  objc_setAssociatedObject(view, &takerKey, nil, OBJC_ASSOCIATION_RETAIN);
	  if (taker)
		  duetForget([taker unsignedLongValue]);
	});
}
