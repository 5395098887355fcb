//! Large pages under large buffers.

/// Smaller buffers are left alone: two large pages.
const LEAST: usize = 4 << 20;
/// A multiple of every size of a small page.
const ALIGN: usize = 64 << 10;

/// Asks the system for large pages under all of the buffer's capacity. Where reads go to any of tens of megabytes,
/// finding small pages costs a tenth of the time (`bench/results/vectors.md`). Memory that was written to before keeps
/// its pages. A hint, and only Linux is asked.
pub fn prefer_large(buffer: &mut Vec<u8>) {
    #[cfg(target_os = "linux")]
    {
        /// `MADV_HUGEPAGE` of `<sys/mman.h>`.
        const HUGE: i32 = 14;
        // SAFETY: this is the function's declaration in the C library, which the standard library links.
        unsafe extern "C" {
            fn madvise(start: *mut std::ffi::c_void, len: usize, advice: i32) -> i32;
        }
        let before = buffer.as_ptr().align_offset(ALIGN);
        if let Some(len) = buffer.capacity().checked_sub(before).filter(|&len| len >= LEAST) {
            // SAFETY: the range lies inside one allocation, and the advice changes neither contents nor access.
            let _ = unsafe { madvise(buffer.as_mut_ptr().add(before).cast(), len, HUGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (buffer, LEAST, ALIGN);
}

#[cfg(test)]
mod tests {
    #[test]
    fn contents_stay() {
        for len in [0, 1, 4 << 20, (9 << 20) + 17] {
            let mut buffer: Vec<u8> = (0..len).map(|i| i as u8).collect();
            buffer.reserve(100);
            super::prefer_large(&mut buffer);
            buffer.extend([1, 2, 3]);
            assert!(buffer[..len].iter().enumerate().all(|(i, &v)| v == i as u8) && buffer[len..] == [1, 2, 3]);
        }
    }
}
