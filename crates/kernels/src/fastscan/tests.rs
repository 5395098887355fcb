use super::*;
use crate::LEVELS;
use proptest::prelude::*;

fn numbers(seed: u64) -> impl FnMut() -> u32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as u32
    }
}

fn check(layout: Layout, rows: usize, extreme: bool) {
    let mut next = numbers((layout.parts * 1000 + rows) as u64);
    let values: Vec<f32> = (0..layout.parts * CODES).map(|_| next() as f32 / (1 << 23) as f32 - 1.0).collect();
    let code = |n: u32| if extreme { 15 * (n & 1) as u8 } else { (n & 15) as u8 };
    let codes: Vec<u8> = (0..rows * layout.parts).map(|_| code(next())).collect();
    let factors: Vec<f32> = (0..rows).map(|_| next() as f32 / (1 << 24) as f32).collect();
    let addends: Vec<f32> = (0..rows).map(|_| -(next() as f32) / (1 << 24) as f32).collect();
    let mut blocks = Vec::new();
    for start in (0..rows).step_by(ROWS) {
        let end = (start + ROWS).min(rows);
        let codes = &codes[start * layout.parts..end * layout.parts];
        layout.pack(codes, &factors[start..end], &addends[start..end], &mut blocks);
    }
    let count = rows.div_ceil(ROWS);
    assert_eq!(blocks.len(), count * layout.bytes());
    let mut tables = Tables::default();
    tables.set(&values);
    let mut first: Option<(Vec<[f32; ROWS]>, Vec<u32>)> = None;
    for level in LEVELS {
        let (mut out, mut masks) = (vec![[f32::NAN; ROWS]; count], vec![7; count]);
        tables.estimate_at(level, layout, &blocks, 0.25, 0.5, &mut out, &mut masks);
        for row in 0..rows {
            let codes = &codes[row * layout.parts..][..layout.parts];
            let sum: f64 = codes.iter().enumerate().map(|(p, &c)| f64::from(values[p * CODES + usize::from(c)])).sum();
            let factor = if layout.factors { f64::from(factors[row]) } else { 1.0 };
            let addend = if layout.addends { f64::from(addends[row]) } else { 0.0 };
            let want = 0.25 + factor * sum + addend;
            let got = f64::from(out[row / ROWS][row % ROWS]);
            // Half a step a part at most.
            let tolerance = layout.parts as f64 * (2.0 / 254.0) * 1.01 + 1e-4;
            assert!((got - want).abs() <= tolerance, "{level} {layout:?} row {row}: {got} against {want}");
            assert_eq!(masks[row / ROWS] >> (row % ROWS) & 1 == 1, out[row / ROWS][row % ROWS] >= 0.5);
            let block = &blocks[row / ROWS * layout.bytes()..];
            assert!(codes.iter().enumerate().all(|(p, &c)| layout.code(block, row % ROWS, p) == c));
            assert!(!layout.factors || layout.factor(block, row % ROWS) == factors[row]);
        }
        let (out_first, masks_first) = first.get_or_insert_with(|| (out.clone(), masks.clone()));
        assert_eq!(*masks_first, masks, "{level} {layout:?}");
        assert_eq!(*out_first, out, "{level} {layout:?}");
    }
}

#[test]
fn all_levels_agree() {
    for parts in [1, 2, 3, 16, 96, 97, 255, 512, 513, 1024, 1500] {
        for (factors, addends) in [(false, false), (true, false), (false, true), (true, true)] {
            check(Layout { parts, factors, addends }, 70, false);
        }
        check(Layout { parts, factors: false, addends: false }, 33, true);
    }
}

#[test]
fn flat_tables_are_exact() {
    let layout = Layout { parts: 5, factors: false, addends: false };
    let mut tables = Tables::default();
    tables.set(&[0.5; 5 * CODES]);
    let mut block = Vec::new();
    layout.pack(&[3; 5], &[], &[], &mut block);
    let (mut out, mut mask) = ([[f32::NAN; ROWS]], [0]);
    tables.estimate(layout, &block, 1.0, 3.5, &mut out, &mut mask);
    assert_eq!((out[0], mask[0]), ([3.5; ROWS], u32::MAX));
}

proptest! {
    #[test]
    fn any_shape(parts in 1usize..130, rows in 1usize..100, factors: bool, addends: bool, extreme: bool) {
        check(Layout { parts, factors, addends }, rows, extreme);
    }
}
