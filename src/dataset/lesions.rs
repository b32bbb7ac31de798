//! Lesions in columns.

use std::ops::Range;

use super::Lesion;
use crate::geometry::{BBox, FileBox};
use crate::protocol::{Class, PerClass, Protocol};

/// Lesions image by image, inside an image class by class, inside a class in file order.
#[derive(Debug, Clone, Default)]
pub struct Lesions {
    boxes: Vec<BBox>,
    in_file: Vec<FileBox>,
    classes: Vec<Class>,
    /// Of each, its number among all of its class.
    numbers: Vec<u32>,
    /// Those of image `i` stand at `first[i]..first[i + 1]`.
    first: Vec<u32>,
    n_of_class: PerClass<u32>,
}

impl Lesions {
    /// Each lesion is of one of the images.
    pub fn new(n_images: usize, lesions: &[Lesion], protocol: &Protocol) -> Self {
        // At `i + 1`, where the next lesion of image `i` goes: once all are there, where those of the next image start.
        let mut first = vec![0; n_images + 2];
        for lesion in lesions {
            first[lesion.image as usize + 2] += 1;
        }
        for image in 0..n_images {
            first[image + 2] += first[image + 1];
        }
        let mut in_file = vec![FileBox::default(); lesions.len()];
        let mut classes = vec![Class::at(0); lesions.len()];
        let mut by_class: Vec<&Lesion> = lesions.iter().collect();
        by_class.sort_by_key(|lesion| lesion.class);
        for lesion in by_class {
            let next = &mut first[lesion.image as usize + 1];
            in_file[*next as usize] = lesion.bbox;
            classes[*next as usize] = lesion.class;
            *next += 1;
        }
        first.truncate(n_images + 1);
        first.shrink_to_fit();
        let mut n_of_class = PerClass::new(protocol, |_| 0);
        let number = |class: &Class| {
            let next = &mut n_of_class[*class];
            *next += 1;
            *next - 1
        };
        let numbers = classes.iter().map(number).collect();
        let boxes = in_file.iter().map(|bbox| bbox.rounded()).collect();
        Self { boxes, in_file, classes, numbers, first, n_of_class }
    }

    /// Lesions of a class in all images.
    pub fn n_of(&self, class: Class) -> usize {
        self.n_of_class[class] as usize
    }

    /// Lesions of all classes in all images.
    pub const fn n(&self) -> usize {
        self.boxes.len()
    }

    /// Those of all classes in an image.
    pub fn n_in(&self, image: usize) -> usize {
        (self.first[image + 1] - self.first[image]) as usize
    }

    /// Lesions of a class in an image: the number of the first among all of the class, and their boxes.
    pub fn of(&self, class: Class, image: usize) -> (u32, &[BBox]) {
        let places = self.places(class, image);
        (self.numbers.get(places.start).copied().filter(|_| !places.is_empty()).unwrap_or(0), &self.boxes[places])
    }

    /// Those of all classes in an image, class by class: class, number among all of the class, and box.
    pub fn in_image(&self, image: usize) -> impl Iterator<Item = (Class, u32, BBox)> {
        let places = self.first[image] as usize..self.first[image + 1] as usize;
        places.map(|at| (self.classes[at], self.numbers[at], self.boxes[at]))
    }

    /// Those of all classes in an image with the numbers of their file, class by class.
    pub fn in_image_in_file(&self, image: usize) -> impl Iterator<Item = (Class, FileBox)> {
        let places = self.first[image] as usize..self.first[image + 1] as usize;
        places.map(|at| (self.classes[at], self.in_file[at]))
    }

    /// Those of a class with the numbers of their file.
    pub fn of_in_file(&self, class: Class, image: usize) -> &[FileBox] {
        &self.in_file[self.places(class, image)]
    }

    fn places(&self, class: Class, image: usize) -> Range<usize> {
        /// So many are looked through sooner than they are searched.
        const FEW: usize = 24;
        let all: Range<usize> = self.first[image] as usize..self.first[image + 1] as usize;
        let classes = &self.classes[all.clone()];
        let (start, n) = if classes.len() <= FEW {
            let Some(start) = classes.iter().position(|other| *other == class) else { return 0..0 };
            (start, classes[start..].iter().take_while(|other| **other == class).count())
        } else {
            let start = classes.partition_point(|other| *other < class);
            (start, classes[start..].partition_point(|other| *other == class))
        };
        all.start + start..all.start + start + n
    }
}
